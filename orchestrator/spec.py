"""The spec: one frozen, checked value that says all about a run. YAML and flags are two ways to write it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from datasets.config import Config
from datasets.cropper import CropConfig
from datasets.errors import UserError
from datasets.protocols import PROTOCOLS
from datasets.sources import SourceConfig
from datasets.strict_yaml import load_yaml
from orchestrator.plain_rules import rule_of
from search_spaces.conditions import select_conditions
from trainables.recipe import ModelConfig, TrainConfig

AUTO = "auto"
Preset = Literal["quick", "paper"]


def _names(value: object) -> object:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value


def _off_is_a_word(value: object) -> object:
    return "off" if value is False else value  # YAML reads a bare `off` as a boolean


class GridConfig(Config):
    """Which conditions, how often. A run folder's grid may grow; finished trials stay."""

    conditions: Annotated[tuple[str, ...], BeforeValidator(_names)] = ("table1", "leave_one_out")
    """Groups (table1, leave_one_out, factorial) and names of conditions, separated by commas."""
    protocols: Annotated[tuple[str, ...], BeforeValidator(_names)] = (AUTO,)
    """Side by side: paper (folders as they are, epoch chosen on the reported photos), clean (copies and contradictions
    resolved, epoch chosen on a part of Train), grouped_kfold (every photo reported once a seed), by commas; auto is
    paper, and clean where the photos support it."""
    seeds: int = Field(default=3, ge=1, le=1000)
    """Every condition runs under the seeds 0 to seeds - 1. Verdicts need at least 6."""
    hypotheses: str | None = Field(default=None, min_length=1)
    """A YAML file of what the study is to show (docs/verdicts.md), or `paper`: the paper's four assumptions. By default
    what the run folder has registered before, in a new one the paper's. They are written down before training."""

    @field_validator("protocols")
    @classmethod
    def _known_protocols(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if names != (AUTO,) and (not names or not set(names) <= set(PROTOCOLS)):
            raise ValueError(f"one or more of {', '.join(PROTOCOLS)}, or {AUTO}")
        return tuple(dict.fromkeys(names))


class ProtocolConfig(Config):
    """How the protocols divide the photos, and which labels are changed first."""

    folds: int = Field(default=5, ge=2, le=100)
    """Folds of grouped_kfold, and so trainings a condition and seed."""
    select_frac: float = Field(default=0.2, gt=0, le=0.5)
    """Share of the training photos on which clean and grouped_kfold choose the epoch (clean: where the source has no
    val split)."""
    label_patch: str | None = Field(default=None, min_length=1)
    """A CSV file of photos to drop, keep or relabel, such as the label_patch.csv that `facet audit` proposes; the
    photos themselves stay as they are."""


class RunConfig(Config):
    """Where and on what a run computes. Nothing here changes a result."""

    out: str | None = Field(default=None, min_length=1)
    """Run folder, local or s3://...; by default runs/<data>-<preset>-<hash of the study>."""
    crops: str | None = Field(default=None, min_length=1)
    """Folder that keeps cropped sets, by fingerprint; by default `crops` beside the run folder. What any set in it
    holds of the same files and crop settings is copied, not cropped again."""
    workers_per_trial: int = Field(default=1, ge=1)
    """Workers that train one trial together: 1 in the trial's own process, more by DDP."""
    cpus_per_worker: int = Field(default=1, ge=1)
    """Processor cores, and threads, of one worker. The number of threads can change the last digits of a result."""
    gpus_per_trial: float | None = Field(default=None, ge=0)
    """GPUs of one trial, shared by its workers; a fraction packs several trials on one. By default 1 where there is
    any, else 0."""
    max_concurrent_trials: int | None = Field(default=None, ge=1)
    """At most so many trials at once; by default as many as fit."""
    crop_workers: int | None = Field(default=None, ge=1)
    """Cropping actors; by default one a GPU, or one a core."""
    gpus_per_crop_worker: float | None = Field(default=None, ge=0)
    """GPUs of one cropping actor, such as 0.25. By default 1 where the cluster has any, else 0."""
    address: str = "auto"
    """Ray cluster: auto (the one this machine is part of, else a local one), local, or host:port."""
    offline: bool = False
    """Use nothing from the network."""
    wandb: Annotated[Literal["off", "offline", "online"], BeforeValidator(_off_is_a_word)] = "offline"
    """Weights & Biases: offline writes files into the run folder, which `wandb sync` can send later."""
    wandb_project: str = "facet-ablation"
    """Project of those runs."""
    wandb_images: bool = False
    """Also give W&B face crops: of each condition and protocol at most 32 that are answered wrongly, without their
    names."""
    tensorboard: bool = True
    """Write TensorBoard event files into the run folder."""

    @model_validator(mode="after")
    def _whole_gpus(self) -> Self:
        per_worker = (self.gpus_per_trial or 0.0) / self.workers_per_trial
        if self.workers_per_trial > 1 and per_worker % 1:
            raise ValueError(
                f"`gpus_per_trial` {self.gpus_per_trial:g} over {self.workers_per_trial} workers: workers of one trial "
                "cannot share a GPU. Give each a whole number, or 0."
            )
        for name, gpus in (("gpus_per_trial", per_worker), ("gpus_per_crop_worker", self.gpus_per_crop_worker or 0.0)):
            if gpus > 1 and gpus % 1:
                raise ValueError(f"`{name}` is a fraction below 1 or a whole number, got {gpus:g}.")
        return self

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.offline and self.wandb == "online":
            raise ValueError("`wandb` online contradicts `offline`. Write --wandb offline, or drop --offline.")
        if self.wandb_images and self.wandb == "off":
            raise ValueError("`wandb_images` contradicts `wandb` off. Write --wandb offline, or drop --wandb-images.")
        return self


class PresetConfig(Config):
    """Where the defaults of all other fields come from."""

    preset: Preset = "quick"
    """Where the defaults come from: quick (a laptop, minutes) or paper (the published recipe, a GPU)."""


# The last base gives the first fields.
class Spec(RunConfig, TrainConfig, ModelConfig, CropConfig, ProtocolConfig, GridConfig, SourceConfig, PresetConfig):
    """A whole run. Every field is a key of the YAML file and a flag of the command."""

    @model_validator(mode="after")
    def _known_conditions(self) -> Self:
        select_conditions(self.conditions)
        return self

    def study(self) -> dict[str, Any]:
        """What decides results, as plain JSON: crops, model, recipe and the rare class (not the photos themselves)."""
        parts = {part.__name__: part.part_of(self).to_dict() for part in (CropConfig, ModelConfig, TrainConfig)}
        return parts | {"rare_class": self.rare_class}


def quick() -> Spec:
    """Small pictures, few epochs, installed weights: minutes on a laptop."""
    return Spec(preset="quick", image_size=64, epochs=8, head_epochs=3, seeds=3)


def paper() -> Spec:
    """The published recipe where it is known, with as many seeds as a verdict needs."""
    return Spec(
        preset="paper", backbone="efficientnet_b0", image_size=224, epochs=20, head_epochs=5, batch_size=32, seeds=6
    )


PRESETS = {"quick": quick, "paper": paper}


def resolve_spec(path: str | None, flags: Mapping[str, Any]) -> Spec:
    """The spec of a YAML file and flags: the preset, changed by the file, changed by the flags. Raises UserError."""
    written = read_yaml(path) if path else {}
    given = {**written, **flags}
    preset = given.get("preset", "quick")
    if not isinstance(preset, str) or preset not in PRESETS:
        raise UserError(f"`preset` is one of {', '.join(PRESETS)}, got `{preset}`.")
    _reject_unknown(given, path)
    try:
        return PRESETS[preset]().replace(**given)
    except ValidationError as error:
        raise UserError(explain(error)) from None


def read_yaml(path: str) -> dict[str, Any]:
    """The keys of a spec file. Raises UserError."""
    try:
        content = load_yaml(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The spec `{path}` cannot be read ({error}).") from None
    except yaml.YAMLError as error:
        raise UserError(f"The spec `{path}` is not valid YAML ({' '.join(str(error).split())}).") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise UserError(f"The spec `{path}` must be a mapping such as `data: photos/`, got a {type(content).__name__}.")
    return {str(key): value for key, value in content.items()}


def write_yaml(spec: Spec) -> str:
    """The resolved spec, every field written out."""
    return yaml.safe_dump(dict(spec.to_dict()), sort_keys=False, allow_unicode=True)


def explain(error: ValidationError) -> str:
    """Pydantic's findings as sentences that name the field, the rule, the value and the flag."""
    sentences = []
    for finding in error.errors():
        if not finding["loc"]:
            sentences.append(finding["msg"].removeprefix("Value error, "))
            continue
        name = str(finding["loc"][0])
        flag = f"--{name.replace('_', '-')}"
        sentences.append(f"`{name}` should be {rule_of(finding)}, got `{finding['input']}`. Change it, or give {flag}.")
    return " ".join(sentences)


def _reject_unknown(given: Mapping[str, Any], path: str | None) -> None:
    for name in given:
        if name not in Spec.model_fields:
            near = difflib.get_close_matches(name, Spec.model_fields, n=1)
            hint = f" Did you mean `{near[0]}`?" if near else " `facet spec --schema` lists the fields."
            raise UserError(f"The spec{f' `{path}`' if path else ''} has the unknown key `{name}`.{hint}")
