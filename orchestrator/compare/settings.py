"""What the two runs were, field by field. No path, and no address."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from orchestrator.compare.runs import Run
from orchestrator.report.notes import distinct
from orchestrator.report.wording import listing

DATA, DIVISION, PATCH, CROPS, MODEL, RECIPE, GRID, CLAIMS, MACHINE = (
    "data", "division", "label patch", "crops", "model", "recipe", "grid", "hypotheses", "machine",
)  # fmt: skip
_SPEC_PARTS = {
    DIVISION: ("test_frac", "split_seed", "folds", "select_frac"),
    GRID: ("preset", "conditions", "protocols", "seeds"),
}
_STUDY_PARTS = {CROPS: "CropConfig", MODEL: "ModelConfig", RECIPE: "TrainConfig"}


class Setting(NamedTuple):
    """One field of both runs, as texts; empty where a run does not say."""

    part: str
    field: str
    a: str
    b: str

    @property
    def differs(self) -> bool:
        """Whether it does."""
        return self.a != self.b


def settings_of(runs: tuple[Run, Run]) -> list[Setting]:
    """Every field, in the order of `study.json`, `spec.yaml`, `hypotheses.json` and `environment.json`."""
    sides = [dict(_fields(run)) for run in runs]
    keys = dict.fromkeys([*sides[0], *sides[1]])
    parts = (DATA, PATCH, DIVISION, CROPS, MODEL, RECIPE, GRID, CLAIMS, MACHINE)
    found = [Setting(*key, *(side.get(key, "") for side in sides)) for key in keys]
    return sorted(found, key=lambda one: parts.index(one.part))


def _fields(run: Run) -> Iterator[tuple[tuple[str, str], str]]:
    yield (DATA, "name"), str(run.plan["data_name"])
    yield (DATA, "fingerprint of photos and crops"), str(run.plan["crop_fingerprint"])
    yield (DATA, "left out"), ", ".join(f"{count} {reason}" for reason, count in run.plan["left_out"].items()) or "none"
    yield (DATA, "rare_class"), str(run.study["rare_class"])
    yield (PATCH, "changes"), _patch(run)
    for part, name in _STUDY_PARTS.items():
        yield from (((part, field), _text(value)) for field, value in run.study[name].items())
    weights = distinct(record["weights"] for record in run.records if record.get("weights"))
    yield (MODEL, "weights from"), listing(weights)
    for part, names in _SPEC_PARTS.items():
        yield from (((part, name), _text(run.spec[name])) for name in names if name in run.spec)
    yield (CLAIMS, "fingerprint"), run.registered.hypotheses.sha256[:16]
    yield (CLAIMS, "names"), ", ".join(one.name for one in run.registered.hypotheses.hypotheses)
    yield (MACHINE, "device"), listing(distinct(record["device"] for record in run.records))
    yield from (((MACHINE, name), str(value)) for name, value in run.environment.items())


def _patch(run: Run) -> str:
    """What the label patch changed, and a name for it; `none`."""
    counts: Mapping[str, Any] = run.protocols.get("label_patch") or {}
    if not counts:
        return "none"
    digest = f" ({hashlib.sha256(run.patch).hexdigest()[:8]})" if run.patch else ""
    return ", ".join(f"{count} {name}" for name, count in counts.items()) + digest


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
