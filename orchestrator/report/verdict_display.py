"""Tables 4 and 5 and the evidence, as people read them."""

from __future__ import annotations

from orchestrator.report import wording
from orchestrator.report.shown import (
    PROTOCOL,
    Row,
    Shown,
    TableDoc,
    bounds,
    number_column,
    p_column,
    percent_column,
    points_between,
    points_column,
    points_interval_column,
    text_column,
)
from search_spaces.conditions import title_of

TABLE_DOCS = {
    "table4": TableDoc(
        "Table 4. What each component adds",
        "Accuracy of the proposed condition minus that without the component, paired by seed and photo: above zero the "
        "component helps, and an interval that holds zero leaves that open. Intervals and p are over other seeds and "
        "other photographs; p is corrected over the four components. Verdicts are of hypotheses: table 5.",
    ),
    "table5": TableDoc(
        "Table 5. The hypotheses",
        "A verdict needs six paired seeds, a corrected p below 0.05 over other seeds and photographs, and agreement of "
        "the seeds alone and of the photographs alone; otherwise it is undecided, whatever the difference.",
    ),
    "evidence": TableDoc(
        "Beside the verdicts",
        "What else the same runs say; it decides nothing. The interval is over other seeds on the same photos. "
        "McNemar (accuracies): of how many seeds, each taken alone as a study of one run, the exact test falls below "
        "0.05. The last three: Bayesian signed-rank probabilities that the first is worse, practically equal (within "
        "one photograph or epoch), or better.",
    ),
}


def difference_text(row: Row) -> str:
    """The difference of a hypothesis with its interval, in points or epochs."""
    return (wording.epochs_interval if in_epochs(row) else wording.points_interval)(*bounds(row, "difference"))


def seeds_text(row: Row) -> str:
    """`-0.2 to 3.0`: bounds over other seeds, in points or epochs."""
    low, high = row["seeds_low"], row["seeds_high"]
    return points_between(low / 100, high / 100) if in_epochs(row) else points_between(low, high)


def in_epochs(row: Row) -> bool:
    """Whether the hypothesis compares epochs, not shares."""
    return str(row["metric"]).startswith("epochs")


def comparison_text(row: Row) -> str:
    """`accuracy, proposed against proposed without face cropping`: what a hypothesis compares."""
    first, _, second = str(row["comparison"]).partition(" vs ")
    return f"{row['metric']}, {title_of(first).lower()} against {title_of(second).lower()}"


def draws_text(row: Row) -> str:
    """Independent photos; empty where no photos are compared."""
    return wording.number(row["independent_photos"]) if row["photos"] else ""


def mcnemar_text(row: Row) -> str:
    """`2 of 6`; empty where no photos are compared."""
    return f"{row['mcnemar_seeds']} of {row['seeds']}" if row["mcnemar_p_median"] >= 0 else ""


def plain_difference_text(row: Row) -> str:
    """The difference alone, in points or epochs."""
    unknown = float("nan")
    text = wording.epochs_interval if in_epochs(row) else wording.points_interval
    return text(row["difference_mean"], unknown, unknown)


SHOWN: dict[str, tuple[Shown, ...]] = {
    "table4": (
        text_column("Component removed", "component"),
        PROTOCOL,
        points_interval_column("Drop in accuracy (95 % interval)", "drop"),
        points_column("Published", "paper_drop"),
        number_column("Drop in photos", "drop_in_photos", 1),
        Shown("Over seeds alone", lambda row: points_between(row["seeds_low"], row["seeds_high"]), value="seeds_low"),
        p_column("p", "p_value"),
        p_column("p, corrected", "p_holm"),
        number_column("Seeds", "seeds"),
        number_column("Photos", "photos"),
    ),
    "table5": (
        text_column("No.", "assumption"),
        text_column("Claim", "claim"),
        PROTOCOL,
        text_column("Verdict", "verdict"),
        text_column("Published", "paper_verdict"),
        Shown("Difference (95 % interval)", difference_text, value="difference_mean"),
        p_column("p", "p_value"),
        p_column("p, corrected", "p_holm"),
        p_column("p, seeds", "p_seeds"),
        p_column("p, photographs", "p_photographs"),
        number_column("Seeds", "seeds"),
        Shown("Independent photos", draws_text, only_if="independent_photos", value="independent_photos"),
        Shown("Compared", comparison_text, numeric=False),
    ),
    "evidence": (
        text_column("No.", "assumption"),
        PROTOCOL,
        Shown("Difference", plain_difference_text, value="difference_mean"),
        Shown("Over seeds alone", seeds_text, value="seeds_low"),
        number_column("d_z", "effect_size", 1),
        percent_column("P(improvement)", "improvement"),
        Shown("McNemar below 0.05", mcnemar_text, value="mcnemar_seeds"),
        percent_column("Worse", "p_worse"),
        percent_column("Equal", "p_equal"),
        percent_column("Better", "p_better"),
    ),
}
