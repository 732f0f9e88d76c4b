"""The columns of the audit's tables: their order, heading and meaning."""

from __future__ import annotations

ORDER = {
    "audit_conflicts": "class_a class_b photographs photographs_exact photographs_near photos_a photos_b",
    "audit_leaks": ("split_a split_b photographs photographs_exact photographs_near photos_a photos_b share_a share_b"),
    "audit_ceiling": (
        "class split photos photographs photos_contradicted ceiling_exact ceiling majority_class majority_accuracy"
    ),
    "audit_photos": (
        "class split photos share_of_split share_mean format_main format_share short_side_q25 short_side_median "
        "short_side_q75 file_bytes_median brightness_median contrast_median sharpness_median face_px_median"
    ),
    "audit_shortcuts": (
        "question features target used photos balanced_accuracy chance p_value told flagged feature contrast"
    ),
}
DOCS = {
    "class_a": ("Class", "One class."),
    "class_b": ("Other class", "Another class, in which copies of the same photographs stand."),
    "split_a": ("Split", "One split."),
    "split_b": ("Other split", "Another split, in which copies of the same photographs stand."),
    "photographs": ("Photographs", "Different photographs: photos that are copies of each other count once."),
    "photographs_exact": ("By exact copies", "Of these, those that copies with equal bytes or pixels show already."),
    "photographs_near": ("By near-copies alone", "Of these, those that only near-copies show."),
    "photos_a": ("Photos in the first", "Photos of these photographs in the first class or split."),
    "photos_b": ("Photos in the other", "Photos of these photographs in the other class or split."),
    "share_a": ("Share of the first", "The same as a share of all photos of the first split."),
    "share_b": ("Share of the other", "The same as a share of all photos of the other split."),
    "photos_contradicted": ("Contradicted", "Photos of the row that have a copy in another class, in the same split."),
    "ceiling_exact": ("Ceiling, exact copies", "The ceiling as exact copies alone show it."),
    "ceiling": (
        "Ceiling",
        "The best accuracy of a model that gives one answer a photograph: of each photograph the copies of its "
        "commonest label, as a share of the photos. In a row of one class: the share of its photos that are not "
        "outvoted by copies in another class. Only copies inside the row's split count.",
    ),
    "majority_class": ("Commonest class", "The commonest class; of equals the first by name."),
    "share_of_split": ("Share of the split", "Photos of the row, of all photos of its split."),
    "format_main": ("Commonest format", "The commonest file format of the row, by the content."),
    "format_share": ("Share of that format", "Of the readable photos of the row."),
    "short_side_q25": ("Shorter side, lower quartile", "Shorter side of the photo, pixels: a quarter has less."),
    "short_side_median": ("Shorter side, median", "Shorter side of the photo, pixels: half has less."),
    "short_side_q75": ("Shorter side, upper quartile", "Shorter side of the photo, pixels: a quarter has more."),
    "file_bytes_median": ("Median file (bytes)", "Length of the file, median."),
    "brightness_median": ("Median brightness", "Mean of the grey photo, 0 black to 1 white, median."),
    "contrast_median": ("Median contrast", "Standard deviation of the grey photo, same scale, median."),
    "sharpness_median": (
        "Median sharpness",
        "Standard deviation of the Laplacian of the grey photo, its longer side reduced to 256 pixels; grey levels, "
        "median. Low for photos that are blurred or were enlarged.",
    ),
    "question": ("Told apart", "class or split: what is to be told from the features."),
    "features": ("Features", "file: format, length, size in pixels; image: brightness, sharpness, face found."),
    "target": ("Which", "One class or split against all others, or all of them at once."),
    "used": ("From", "all features of the set, or a single one."),
    "balanced_accuracy": (
        "Balanced accuracy",
        "Mean over the groups of the share of their photos that a small tree tells, on photographs it has not seen.",
    ),
    "chance": ("Chance", "Balanced accuracy of an answer that knows nothing."),
    "told": ("Told", "yes: corrected p below 0.05 and a fifth of the way from chance to always right, or more."),
    "flagged": ("Flagged", "yes: told, from features of the file: a finding."),
    "feature": ("Best single feature", "Which one alone tells it best; empty where it is not told."),
    "contrast": ("How it differs", "That feature in the photos of the group, against all others."),
}
