"""Hypotheses as data: a YAML file, checked, named by its hash."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from datasets.config import Config
from datasets.errors import UserError
from datasets.fingerprint import fingerprint
from datasets.strict_yaml import load_yaml
from orchestrator.plain_rules import rule_of
from orchestrator.statistics.scores import Metric
from search_spaces.conditions import all_conditions

PAPER_FILE = "paper.yaml"
PAPERS = "paper"
"""In place of a file, the paper's own four."""
Verdict = Literal["supported", "refuted", "undecided"]


class _Pair(Config):
    """Two conditions."""

    condition: str
    """The condition that the claim is about."""
    than: str
    """The one that it is compared with."""

    @field_validator("condition", "than")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in all_conditions():
            raise ValueError(f"the name of a condition ({', '.join(all_conditions())})")
        return name

    @model_validator(mode="after")
    def _two(self) -> Self:
        if self.condition == self.than:
            raise ValueError(f"`condition` and `than` are both {self.than}; name two")
        return self


class _Scored(_Pair):
    """Two conditions, and the score they are compared by."""

    metric: str = "accuracy"
    """accuracy, macro_f1, balanced_accuracy; or recall, precision, f1 with a class, such as recall:joy."""

    @field_validator("metric")
    @classmethod
    def _known_metric(cls, name: str) -> str:
        return Metric(name).name


class Better(_Scored):
    """The score of `condition` lies above that of `than` by more than `by`."""

    by: float = Field(default=0.0, gt=-1, lt=1)
    """A share: 0.02 is two points."""


class Equivalent(_Scored):
    """The scores of the two conditions lie less than `within` apart."""

    within: float | None = Field(default=None, gt=0, lt=1)
    """A share; one photo by default."""


class Earlier(_Pair):
    """`condition` reaches the validation accuracy `threshold` in fewer epochs than `than`, by more than `by`."""

    threshold: float = Field(gt=0, le=1)
    """Validation accuracy, a share."""
    by: float = Field(default=0.0, ge=0)
    """Epochs."""


class Hypothesis(Config):
    """One claim, and the one comparison that decides on it: `better`, `equivalent` or `earlier`."""

    KINDS: ClassVar[tuple[str, ...]] = ("better", "equivalent", "earlier")

    name: str = Field(min_length=1, max_length=40)
    """Short, and unique in its file."""
    claim: str = Field(min_length=1)
    """In words, without a full stop: `Face cropping improves recognition`."""
    better: Better | None = None
    """See Better."""
    equivalent: Equivalent | None = None
    """See Equivalent."""
    earlier: Earlier | None = None
    """See Earlier."""
    published: Verdict | None = None
    """The verdict of a publication, shown beside ours."""

    @field_validator("name", "claim", mode="before")
    @classmethod
    def _on_one_line(cls, text: object) -> object:
        return " ".join(text.split()) if isinstance(text, str) else text

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        given = [kind for kind in self.KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            raise ValueError(
                f"hypothesis {self.name} needs exactly one of {', '.join(self.KINDS)}, got {given or 'none'}"
            )
        return self

    @property
    def test(self) -> Better | Equivalent | Earlier:
        """The comparison."""
        test = self.better or self.equivalent or self.earlier
        assert test is not None
        return test


class Hypotheses(Config):
    """A file of hypotheses: one family, over which p values are corrected."""

    hypotheses: tuple[Hypothesis, ...] = Field(min_length=1)
    """In the order in which they are reported."""

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [hypothesis.name for hypothesis in self.hypotheses]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"two hypotheses are named {twice[0]}")
        return self

    @property
    def sha256(self) -> str:
        """Of what they say; comments and layout of the file play no part."""
        return fingerprint(dict(self.to_dict()), length=64)

    @property
    def conditions(self) -> set[str]:
        """All conditions that are compared."""
        return {name for one in self.hypotheses for name in (one.test.condition, one.test.than)}


def check_classes(hypotheses: Hypotheses, path: str | None, classes: Sequence[str]) -> None:
    """Raises UserError where a metric names none of the classes of the photos. `path` names the file."""
    for one in hypotheses.hypotheses:
        metric = None if isinstance(one.test, Earlier) else Metric(one.test.metric)
        if metric is not None and metric.label is not None and metric.label not in classes:
            raise UserError(
                f"`hypotheses` {path}: the metric {metric.name} of {one.name} names no class of the photos, which "
                f"have {', '.join(classes)}. Write one of these."
            )


def load_hypotheses(path: str | None) -> Hypotheses:
    """Those of a YAML file, or the paper's own four (None, or `paper`). Raises UserError."""
    if path in (None, PAPERS):
        return parse_hypotheses(resources.files("orchestrator.hypotheses").joinpath(PAPER_FILE).read_text("utf-8"), "")
    try:
        return parse_hypotheses(Path(str(path)).read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"`hypotheses` {path} cannot be read ({error}). Give a YAML file.") from None


def parse_hypotheses(text: str, path: str) -> Hypotheses:
    """Those of a YAML text; `path` names it in errors. Raises UserError."""
    try:
        content = load_yaml(text)
    except yaml.YAMLError as error:
        raise UserError(f"`hypotheses` {path} is not valid YAML ({' '.join(str(error).split())}).") from None
    if not isinstance(content, dict):
        raise UserError(
            f"`hypotheses` {path} must be a mapping with the key `hypotheses`, a list. See docs/verdicts.md."
        )
    try:
        return Hypotheses.model_validate(content)
    except ValidationError as error:
        raise UserError(f"`hypotheses` {path}: {_explain(error, content)} docs/verdicts.md has the format.") from None


def _explain(error: ValidationError, content: dict[str, Any]) -> str:
    first: Any = error.errors()[0]
    rule, where = rule_of(first), _where(first["loc"], content)
    if first["type"] == "value_error" and not isinstance(first["input"], str):
        return f"{rule}{f' (at `{where}`)' if where else ''}."
    if first["type"] == "extra_forbidden":
        return f"`{where}` is no key that is known here."
    if first["type"] == "missing":
        return f"`{where}` is missing."
    return f"`{where}` should be {rule}, got `{first['input']}`."


def _where(place: tuple[int | str, ...], content: dict[str, Any]) -> str:
    """`H1.better.metric`: by the name of the hypothesis, or `hypothesis 2.better` where it has none."""
    entries = content.get("hypotheses")
    if len(place) < 2 or not isinstance(place[1], int) or not isinstance(entries, list):
        return ".".join(map(str, place))
    entry = entries[place[1]]
    name = entry.get("name") if isinstance(entry, dict) else None
    return ".".join(map(str, (name or f"hypothesis {place[1] + 1}", *place[2:])))
