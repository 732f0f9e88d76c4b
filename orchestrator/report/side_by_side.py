"""Accuracy of each condition under every protocol, side by side."""

from __future__ import annotations

from typing import Any

from datasets.protocols import PROTOCOLS
from orchestrator.report.intervals import Interval
from orchestrator.report.results import Results

NOT_KNOWN = Interval(float("nan"), float("nan"), float("nan"), "")


def protocol_rows(results: Results) -> list[dict[str, Any]]:
    """One row a condition."""
    rows = []
    for condition in dict.fromkeys(group.condition for group in results.groups):
        groups = {group.protocol: group for group in results.of(condition)}
        first = next(iter(groups.values()))
        row: dict[str, Any] = {"condition": condition, "title": first.title}
        for protocol in PROTOCOLS:
            interval = groups[protocol].accuracy_interval if protocol in groups else NOT_KNOWN
            row |= {
                f"{protocol}_mean": interval.mean,
                f"{protocol}_low": interval.low,
                f"{protocol}_high": interval.high,
            }
            row[f"{protocol}_photos"] = groups[protocol].photos if protocol in groups else 0
        rows.append(row | {"optimism": row["paper_mean"] - row["clean_mean"]})
    return rows
