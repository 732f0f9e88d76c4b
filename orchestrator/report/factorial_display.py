"""The tables of the factorial as people read them."""

from __future__ import annotations

from orchestrator.report import wording
from orchestrator.report.shown import PROTOCOL, Shown, TableDoc, bounds, number_column, percent_column, text_column

TABLE_DOCS = {
    "effects": TableDoc(
        "Factorial. Effects of the components and how they depend on each other",
        "From the largest complete factorial among the conditions that were run; “facet run --conditions factorial” "
        "runs all 16 cells. Main effect: accuracy with the component minus without, mean over the other components; "
        "interaction (x): half of what one adds to the effect of the other. Interval and p are over other seeds on "
        "the same photos. Corrected p: Holm, over the effects of the "
        "protocol; with 15 effects and fewer than ten seeds it cannot fall below 0.05.",
        "No finished trials make up a factorial: leaving one component out at a time shows only what it does beside "
        "all others. “facet run --conditions factorial” runs all 16 combinations.",
    ),
    "importance": TableDoc(
        "Factorial. Importance of what trials differ in",
        "A description of these trials, not a test: it has no interval and no sign, and depends on which combinations "
        "were run. A component that weighs no more than the seed cannot be told from chance.",
        "No finished trials differ enough: that takes eight under one protocol, of unequal accuracy.",
    ),
}
SHOWN: dict[str, tuple[Shown, ...]] = {
    "effects": (
        Shown("Effect", lambda row: str(row["effect"]).replace(" x ", " × "), numeric=False),
        PROTOCOL,
        Shown("Estimate (95 % interval)", lambda row: wording.points_interval(*bounds(row, "estimate"))),
        Shown("p", lambda row: wording.p_value(row["p_value"])),
        Shown("p, corrected", lambda row: wording.p_value(row["p_holm"])),
        number_column("Seeds", "seeds"),
        number_column("Cells", "cells"),
        text_column("The same in all cells", "held"),
    ),
    "importance": (
        text_column("Differ in", "parameter"),
        PROTOCOL,
        percent_column("Importance (fANOVA)", "importance_fanova"),
        percent_column("Importance (PED-ANOVA)", "importance_ped_anova"),
        number_column("Trials", "trials"),
    ),
}
