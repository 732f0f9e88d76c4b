"""The columns of the tables about answers (calibration, every class, confusion): order, heading and meaning."""

from __future__ import annotations

_HEAD = "condition title protocol"
ORDER = {
    "calibration": (
        f"{_HEAD} seeds photos accuracy_mean confidence_mean gap_mean gap_low gap_high "
        "ece_mean ece_low ece_high ece_expected_mean ece_mass_mean ece_mass_low ece_mass_high mass_bins "
        "nll_mean nll_low nll_high brier_mean brier_low brier_high "
        "temperature_mean temperature_low temperature_high at_bound "
        "ece_after_mean ece_after_low ece_after_high ece_mass_after_mean "
        "nll_after_mean nll_after_low nll_after_high brier_after_mean interval"
    ),
    "class_scores": (
        f"{_HEAD} class seeds support predicted_mean precision_mean precision_low precision_high "
        "recall_mean recall_low recall_high f1_mean f1_low f1_high interval"
    ),
    "confusion": f"{_HEAD} true_class answer seeds count share",
}


def _bounds(name: str, heading: str) -> dict[str, tuple[str, str]]:
    return {
        f"{name}_low": (f"{heading}, low", "Lower bound of the 95 % interval over seeds; empty for one seed."),
        f"{name}_high": (f"{heading}, high", "Upper bound of the 95 % interval over seeds; empty for one seed."),
    }


_AFTER = "with temperatures fitted on the other half of the photos, mean over seeds."
DOCS = {
    "confidence_mean": ("Confidence", "Probability of the answer, mean over photos and seeds."),
    "gap_mean": ("Confidence minus accuracy", "Above zero the model is surer than it is right; mean over seeds."),
    **_bounds("gap", "Confidence minus accuracy"),
    "ece_mean": ("ECE", "Expected calibration error, 15 bins of equal width (Guo et al. 2017); mean over seeds."),
    **_bounds("ece", "ECE"),
    "ece_expected_mean": (
        "ECE if calibrated",
        "What the same confidences would give on average if each were true: what so few photos alone make of it.",
    ),
    "ece_mass_mean": ("ECE, equal mass", "The same over `mass_bins` bins with equally many photos; mean over seeds."),
    **_bounds("ece_mass", "ECE, equal mass"),
    "mass_bins": ("Bins of equal mass", "One for every 15 photos, 15 at the most."),
    "nll_mean": ("NLL", "Negative log-likelihood of the true class in nats; mean over photos and seeds."),
    **_bounds("nll", "NLL"),
    "brier_mean": ("Brier score", "Summed over classes: 0 is best, 2 worst; mean over photos and seeds."),
    **_bounds("brier", "Brier score"),
    "temperature_mean": (
        "Temperature",
        "What logits are divided by: geometric mean over seeds and over the two halves of the photos, each fitted on "
        "the other. Above 1 the model was too sure.",
    ),
    **_bounds("temperature", "Temperature"),
    "at_bound": (
        "Fits at the bound",
        "Temperatures, of two a seed, that ended at 1/20 or 20 for want of a best one, as where all answers of a half "
        "are right.",
    ),
    "ece_after_mean": ("ECE, temperature", f"ECE {_AFTER}"),
    **_bounds("ece_after", "ECE, temperature"),
    "ece_mass_after_mean": ("ECE, equal mass, temperature", f"The same over bins of equal mass {_AFTER}"),
    "nll_after_mean": ("NLL, temperature", f"NLL {_AFTER}"),
    **_bounds("nll_after", "NLL, temperature"),
    "brier_after_mean": ("Brier score, temperature", f"Brier score {_AFTER}"),
    "predicted_mean": ("Answers", "Photos that were answered with this class, mean over seeds."),
    "true_class": ("True class", "The class, as the data name it."),
    "count": ("Count", "Answers, summed over seeds."),
    "share": ("Share of the class", "Of all answers to photos of the true class."),
}
