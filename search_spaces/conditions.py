"""The conditions by name: the rows of Table 1, leave-one-out around the proposed one, and the full factorial."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from datasets.errors import UserError
from trainables.condition import Condition

PROPOSED = Condition(crop=True, attention="eca", staged=True, rare_class_excluded=True)

TABLE1 = {
    "baseline_cnn": Condition(),
    "logit_adjusted_focal": Condition(loss="logit_adjusted_focal"),
    "landmark_fusion": Condition(landmarks=True, staged=True),
    "eca": Condition(attention="eca", staged=True),
    "eca_mtcnn": Condition(crop=True, attention="eca"),
    "proposed": PROPOSED,
}
"""Rows of the paper's Table 1, in its order."""

LEAVE_ONE_OUT = {
    "proposed": PROPOSED,
    "minus_crop": PROPOSED.replace(crop=False),
    "minus_attention": PROPOSED.replace(attention="none"),
    "minus_staging": PROPOSED.replace(staged=False),
    "plus_rare_class": PROPOSED.replace(rare_class_excluded=False),
}
"""The proposed condition, and it with one component changed at a time (the paper's Table 4, and assumption A4)."""

EXTRA = {"proposed_eca_blocks": PROPOSED.replace(attention="eca_blocks")}
"""Beyond the paper: ECA inside every block."""

GROUPS = ("table1", "leave_one_out", "factorial")

TITLES = {
    "baseline_cnn": "Baseline CNN",
    "logit_adjusted_focal": "Logit-adjusted focal loss",
    "landmark_fusion": "Landmark fusion",
    "eca": "ECA attention",
    "eca_mtcnn": "ECA + MTCNN",
    "proposed": "Proposed",
    "minus_crop": "Proposed without face cropping",
    "minus_attention": "Proposed without channel attention",
    "minus_staging": "Proposed without staged training",
    "plus_rare_class": "Proposed with the rare class",
    "proposed_eca_blocks": "Proposed with ECA in every block",
}


def factorial() -> dict[str, Condition]:
    """All 16 cells of crop x attention x staging x classes. A cell that has a name above keeps it."""
    named = {condition: name for name, condition in (LEAVE_ONE_OUT | TABLE1).items()}
    cells = {}
    for crop, attention, staged, excluded in itertools.product(
        (False, True), ("none", "eca"), (False, True), (False, True)
    ):
        cell = Condition(crop=crop, attention=attention, staged=staged, rare_class_excluded=excluded)
        cells[named.get(cell) or _cell_name(cell)] = cell
    return cells


def all_conditions() -> dict[str, Condition]:
    """Every condition that has a name."""
    return TABLE1 | LEAVE_ONE_OUT | factorial() | EXTRA


def select_conditions(names: Sequence[str]) -> dict[str, Condition]:
    """The conditions of groups and names, each once, in the order asked for. Raises UserError for an unknown one."""
    known, chosen = all_conditions(), dict[str, Condition]()
    groups = {"table1": TABLE1, "leave_one_out": LEAVE_ONE_OUT, "factorial": factorial()}
    for name in names:
        if name not in groups and name not in known:
            raise UserError(
                f"`conditions` has no `{name}`. Choose groups ({', '.join(GROUPS)}) or names ({', '.join(known)})."
            )
        chosen |= groups.get(name) or {name: known[name]}
    if not chosen:
        raise UserError("`conditions` is empty. Write table1, leave_one_out, factorial or names of conditions.")
    return chosen


def title_of(name: str) -> str:
    """The condition as a table heads its row."""
    return TITLES.get(name) or name.replace("_", " ").replace("cell ", "").capitalize()


def _cell_name(cell: Condition) -> str:
    parts = [
        "crop" if cell.crop else "frame",
        cell.attention if cell.attention != "none" else "plain",
        "staged" if cell.staged else "end2end",
        "norare" if cell.rare_class_excluded else "all",
    ]
    return "cell_" + "_".join(parts)
