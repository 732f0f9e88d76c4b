"""Columns of the tables of verdicts: names, headings, meanings."""

from __future__ import annotations

ORDER = {
    "table4": (
        "component condition title protocol drop_mean drop_low drop_high seeds_low seeds_high p_value p_holm p_seeds "
        "seeds photos drop_in_photos interval paper_drop"
    ),
    "table5": (
        "assumption claim protocol comparison metric difference_mean difference_low difference_high p_value p_holm "
        "p_seeds p_photographs seeds photos independent_photos against margin verdict paper_verdict reason sentence "
        "seeds_needed photographs_needed"
    ),
    "evidence": (
        "assumption claim protocol comparison metric difference_mean seeds_low seeds_high interval difference_sd "
        "effect_size improvement p_worse p_equal p_better rope mcnemar_p_median mcnemar_seeds seeds photos"
    ),
}

DOCS = {
    "assumption": ("Hypothesis", "Its name; A1 to A4 are the paper's assumptions."),
    "claim": ("Claim", "What is assumed."),
    "comparison": ("Comparison", "The two conditions; the difference is the first minus the second."),
    "metric": ("Metric", "What is compared; a run that never reaches a threshold counts one epoch more than it ran."),
    "verdict": (
        "Verdict",
        "supported or refuted where, over six paired seeds or more, the corrected p, the p over seeds and the p over "
        "photographs are all below 0.05, by the sign; else undecided. For a claim of equality p over photographs "
        "plays no part.",
    ),
    "paper_verdict": ("Published: verdict", "The published verdict, where the hypothesis has one."),
    "sentence": ("In words", "The comparison in one sentence."),
    "reason": ("Reason", "Why the verdict is so, and what would change it."),
    "difference_mean": ("Difference", "First minus second, paired by seed, mean; shares, or epochs."),
    "difference_low": ("Difference, low", "Lower 95 % bound over other seeds and other photographs (two-way)."),
    "difference_high": ("Difference, high", "Upper 95 % bound over other seeds and other photographs (two-way)."),
    "against": ("Against", "The difference that is to be exceeded; p values are against it."),
    "margin": ("Margin", "Difference within which two conditions count as equal; for hypotheses of equality."),
    "seeds_low": ("Over seeds, low", "Lower 95 % bound over other seeds on the same photos."),
    "seeds_high": ("Over seeds, high", "Upper 95 % bound over other seeds on the same photos."),
    "difference_sd": ("Difference, SD", "Sample standard deviation of the differences over seeds."),
    "p_holm": (
        "p, corrected", "Holm-corrected over all hypotheses, tested or not (table 4: components; `effects`: effects)."
    ),
    "p_seeds": (
        "p, seeds",
        "Exact two-sided sign-flip p over seeds, photos as they are; for a claim of equality against its margin.",
    ),
    "p_photographs": (
        "p, photographs",
        "Two-sided p with the answers of the two conditions swapped at random, photograph by photograph, seeds as they "
        "are (1,999 draws). Empty for a claim of equality, of which it says nothing.",
    ),
    "mcnemar_p_median": (
        "McNemar p, median", "Median over seeds of the exact McNemar p of that seed alone; for accuracies."
    ),
    "mcnemar_seeds": ("McNemar seeds", "Seeds of which the exact McNemar p alone is below 0.05."),
    "effect_size": (
        "d_z",
        "Mean of the paired differences over their standard deviation, with the sign of the difference: of epochs, "
        "below zero is sooner.",
    ),
    "improvement": ("P(improvement)", "How often a run of the first beats a run of the second; a tie counts half."),
    "p_worse": ("P(worse)", "Bayesian signed-rank over seeds: that the first is worse by more than `rope`."),
    "p_equal": ("P(equal)", "The same: that they are within `rope`."),
    "p_better": ("P(better)", "The same: that the first is better by more than `rope`."),
    "rope": (
        "Practically equal",
        "Half-width of the region of practical equivalence: what one photograph (of the metric's class) is "
        "worth, or one epoch.",
    ),
    "independent_photos": (
        "Independent photos", "Draws among the photos: copies of one photograph, and photos of one person, count once."
    ),
    "seeds_needed": (
        "Seeds needed", "Seeds with which four of five studies would decide, if the truth is what was seen."
    ),
    "photographs_needed": (
        "Photographs needed", "The same of photographs, where no number of seeds would do on these."
    ),
    "component": ("Component removed", "What the condition lacks of the proposed one."),
    "drop_mean": ("Drop", "Accuracy of the proposed condition minus that of the other, paired by seed, mean."),
    "drop_low": ("Drop, low", "Lower 95 % bound over other seeds and other photographs (two-way)."),
    "drop_high": ("Drop, high", "Upper 95 % bound over other seeds and other photographs (two-way)."),
    "drop_in_photos": ("Drop in photos", "The drop times the photos."),
    "paper_drop": ("Published: drop", "The paper's drop in validation accuracy."),
}  # fmt: skip
