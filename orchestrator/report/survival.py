"""Which claims survive which protocol: the verdicts of Table 5 side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datasets.protocols import PROTOCOLS
from orchestrator.report.wording import listing

NOT_RUN = "not run"
AS_PUBLISHED = "paper"


def survival_rows(verdicts: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One row an assumption, from the rows of Table 5."""
    rows = []
    for name in dict.fromkeys(row["assumption"] for row in verdicts):
        mine = {row["protocol"]: row for row in verdicts if row["assumption"] == name}
        first = next(iter(mine.values()))
        found = {protocol: str(row["verdict"]) for protocol, row in mine.items()}
        rows.append(
            {
                "assumption": name,
                "claim": first["claim"],
                "metric": first["metric"],
                **{f"verdict_{protocol}": found.get(protocol, NOT_RUN) for protocol in PROTOCOLS},
                **{
                    f"difference_{protocol}": mine[protocol]["difference_mean"] if protocol in mine else float("nan")
                    for protocol in PROTOCOLS
                },
                "paper_verdict": first["paper_verdict"],
                "survives": survives(found),
            }
        )
    return rows


def survives(verdicts: Mapping[str, str]) -> str:
    """What becomes, under the protocols that read the reported photos once, of what the published one says."""
    there = verdicts.get(AS_PUBLISHED)
    fair = {protocol: verdict for protocol, verdict in verdicts.items() if protocol != AS_PUBLISHED}
    if not fair:
        return "not tested: only protocol paper was run"
    of = {kind: [name for name, verdict in fair.items() if verdict == kind] for kind in ("supported", "refuted")}
    if of["refuted"] and of["supported"]:
        return f"contradictory: supported under {listing(of['supported'])}, refuted under {listing(of['refuted'])}"
    if of["refuted"]:
        return f"no: refuted under {listing(of['refuted'])}"
    if len(of["supported"]) == len(fair):
        return "yes" if there == "supported" else f"supported under {listing(of['supported'])}"
    if of["supported"]:
        return f"in part: supported under {listing(of['supported'])} alone"
    if there == "supported":
        return f"not shown: undecided under {listing(list(fair))}"
    return "undecided" if there in (None, "undecided") else f"{there} under protocol paper, undecided elsewhere"
