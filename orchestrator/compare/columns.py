"""The tables of a comparison: their columns and what these mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

_SIDES = "a_mean a_low a_high b_mean b_low b_high"
ORDER = {
    "compare_conditions": (
        f"condition title protocol metric basis verdict {_SIDES} difference_mean difference_low difference_high "
        "p_value p_holm p_seeds p_photographs seeds_a seeds_b photos_a photos_b photographs_a photographs_b classes "
        "masked reason"
    ),
    "compare_verdicts": (
        "assumption claim protocol comparison metric verdict_a verdict_b agreement a_mean a_low a_high b_mean b_low "
        "b_high p_holm_a p_holm_b seeds_a seeds_b"
    ),
    "compare_components": (
        "component condition protocol a_mean a_low a_high a_seeds a_photos b_mean b_low b_high "
        "b_seeds b_photos change_mean change_low change_high p_value basis"
    ),
    "compare_measured": (
        f"condition title protocol {_SIDES} majority_a majority_b seeds_a seeds_b photos_a photos_b "
        "photos_with_face_a photos_with_face_b train_photos_a train_photos_b compute_s_a compute_s_b compute_ratio"
    ),
    "compare_runs": "fact a b",
    "compare_settings": "part field a b differs",
}
DOCS = {
    "condition": "Name of the condition.",
    "title": "The condition as the page heads it.",
    "protocol": "Which photos are trained on and reported on, and how the epoch is chosen.",
    "metric": "accuracy or macro_f1; of a hypothesis, what it compares.",
    "basis": "paired (shared photos and seeds, one by one), independent (neither), or not compared.",
    "verdict": "Of B against A: higher, lower or undecided.",
    "a_mean": "Of A: the score, or the difference that a hypothesis or a drop is about; mean over seeds.",
    "a_low": "Lower 95 % bound, over other seeds and photographs (compare_measured: over seeds; one seed: Wilson).",
    "a_high": "Upper bound of the same.",
    "b_mean": "The same of B.",
    "b_low": "The same of B.",
    "b_high": "The same of B.",
    "difference_mean": "B minus A, in shares.",
    "difference_low": "Lower 95 % bound over other seeds and other photographs; empty for one seed.",
    "difference_high": "Upper bound of the same.",
    "p_value": "Two-sided p against no difference, over other seeds and other photographs; empty for one seed.",
    "p_holm": "The same, Holm-corrected over the conditions of the protocol, each score for itself.",
    "p_seeds": "Exact sign-flip p over seeds, photos as they are; paired rows alone.",
    "p_photographs": "p with the answers of A and B swapped at random, photograph by photograph; paired rows alone.",
    "seeds_a": "Seeds of A; of paired rows, those that both runs have; of a hypothesis, those that it compares.",
    "seeds_b": "The same of B.",
    "photos_a": "Photos of A that the row is about.",
    "photos_b": "The same of B.",
    "photographs_a": "Independent draws among them: copies of one photograph, and one person's, count once.",
    "photographs_b": "The same of B.",
    "classes": "Classes that both know.",
    "masked": "Classes that one run alone knows: their photos are left out, and no model may answer them.",
    "reason": "Why the verdict is so.",
    "assumption": "Name of the hypothesis.",
    "claim": "What it claims, in words.",
    "comparison": "The two conditions that it compares.",
    "verdict_a": "supported, refuted, undecided; not tested: a trial lacks; not claimed: A says nothing of it.",
    "verdict_b": "The same of B.",
    "agreement": "What the two verdicts are together; empty where one is lacking.",
    "p_holm_a": "Corrected p in A.",
    "p_holm_b": "Corrected p in B.",
    "component": "What the condition lacks of the proposed one.",
    "a_seeds": "Seeds of the drop in A.",
    "a_photos": "Photos of the drop in A.",
    "b_seeds": "The same in B.",
    "b_photos": "The same in B.",
    "change_mean": "The drop in B minus the drop in A. Of paired rows on shared photos and seeds alone.",
    "change_low": "Lower 95 % bound over other seeds and other photographs.",
    "change_high": "Upper bound of the same.",
    "majority_a": "What always answering the class that is commonest in training scores, in A.",
    "majority_b": "The same in B.",
    "photos_with_face_a": "Reported photos of A in which a face was found.",
    "photos_with_face_b": "The same of B.",
    "train_photos_a": "Photos that A trains on (the fewest, should seeds differ).",
    "train_photos_b": "The same of B.",
    "compute_s_a": "Seconds of one training in A, mean over seeds and folds; by a clock.",
    "compute_s_b": "The same of B; by a clock.",
    "compute_ratio": "Compute of B by that of A; by a clock.",
    "fact": "What is told of the runs.",
    "a": "Of A.",
    "b": "Of B.",
    "part": "What the field belongs to.",
    "field": "Its name, as in spec.yaml, study.json or environment.json.",
    "differs": "yes or no.",
}


def frame(name: str, rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """The rows with the columns of that table, in its order."""
    columns = ORDER[name].split()
    return pd.DataFrame([[row[column] for column in columns] for row in rows], columns=columns)
