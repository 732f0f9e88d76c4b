"""A comparison as data: what kind it is, its tables, its notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from orchestrator.compare.claims import verdict_rows
from orchestrator.compare.columns import frame
from orchestrator.compare.components import component_rows
from orchestrator.compare.conditions import HIGHER, LOWER, condition_rows
from orchestrator.compare.kind import generated_photos, kind_of, notes_of
from orchestrator.compare.runs import Run
from orchestrator.compare.settings import settings_of
from orchestrator.compare.shared import same_photos
from orchestrator.compare.sides import measured_rows, overview_rows
from orchestrator.report.wording import counted


@dataclass(frozen=True, eq=False)
class Comparison:
    """`kind` says what the two runs allow, `tables` are by name, the columns of columns.ORDER."""

    names: tuple[str, str]
    kind: str
    tables: Mapping[str, pd.DataFrame]
    notes: list[str]
    generated: str
    """Whose photos are generated, as a sentence; empty where none are."""

    rule = "Differences are B minus A. Brackets hold 95 % intervals over other seeds and other photographs."
    no_change = "No hypothesis that both tested has another verdict in B than in A."

    @property
    def title(self) -> str:
        """`before (A) against after (B)`."""
        return f"{self.names[0]} (A) against {self.names[1]} (B)"

    @property
    def headlines(self) -> list[str]:
        """`Protocol paper: of 10 conditions the accuracy of B is shown to be higher in 2; the others are undecided.`"""
        table = self.tables["compare_conditions"]
        parts = []
        for protocol, rows in table[table["metric"] == "accuracy"].groupby("protocol", sort=False):
            words = rows["verdict"].value_counts()
            named = [f"shown to be {word} in {words[word]}" for word in (HIGHER, LOWER) if words.get(word)]
            parts.append(
                f"Protocol {protocol}: of {counted(len(rows), 'condition')} the accuracy of B is "
                + (
                    f"{' and '.join(named)}; the others are undecided."
                    if named
                    else "shown to be higher or lower in none."
                )
            )
        return parts or ["No condition was run under the same protocol in both: there is nothing to compare."]

    @property
    def changed(self) -> list[str]:
        """What became of each hypothesis that both runs tested, where the verdicts are not the same."""
        rows = self.tables["compare_verdicts"].to_dict("records")
        other = [row for row in rows if row["agreement"] and row["verdict_a"] != row["verdict_b"]]
        return [
            f"{row['assumption']} ({row['protocol']}), {row['claim']}: "
            f"{row['verdict_a']} in A, {row['verdict_b']} in B."
            for row in other
        ]


def compare(runs: tuple[Run, Run]) -> Comparison:
    """Everything that two runs say of each other. The same two ledgers give the same comparison."""
    same, settings = same_photos(*runs), settings_of(runs)
    conditions = condition_rows(runs, same)
    rows = {
        "compare_conditions": conditions,
        "compare_verdicts": verdict_rows(runs),
        "compare_components": component_rows(runs, same),
        "compare_measured": measured_rows(runs),
        "compare_runs": overview_rows(runs),
        "compare_settings": [one._asdict() | {"differs": "yes" if one.differs else "no"} for one in settings],
    }
    return Comparison(
        names=(runs[0].name, runs[1].name),
        kind=kind_of(runs, settings, same),
        tables={name: frame(name, of_table) for name, of_table in rows.items()},
        notes=notes_of(runs, settings, conditions, same),
        generated=generated_photos(runs),
    )
