"""Every pair of copies as a row of `findings.csv`: what the two are called, and whether that contradicts itself."""

from __future__ import annotations

import io

import pandas as pd

from datasets.copies import CopyPair, Photographs
from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.audit.groups import groups_of
from orchestrator.audit.rows import NO_SPLIT

FINDINGS_FILE = "findings.csv"
COLUMNS = (
    *("kind", "path_a", "path_b", "class_a", "class_b", "split_a", "split_b", "conflict", "leak", "score"),
    "how",
)


def find_pairs(photos: pd.DataFrame, photographs: Photographs) -> pd.DataFrame:
    """COLUMNS, a row a pair: conflicts and leaks first, then conflicts, leaks and others, in the order of the source.

    `photos`: path, label and split of every photo, in the order that the pairs count in.
    """
    pairs = photographs.pairs
    columns: dict[str, list[object]] = {"kind": [pair.kind for pair in pairs]}
    for name, column in (("path", "path"), ("class", "label"), ("split", "split")):
        values = photos[column].tolist()
        columns[f"{name}_a"] = [values[pair.a] for pair in pairs]
        columns[f"{name}_b"] = [values[pair.b] for pair in pairs]
    frame = pd.DataFrame(columns | {"score": [pair.score for pair in pairs], "how": [pair.how for pair in pairs]})
    frame["conflict"] = frame["class_a"] != frame["class_b"]
    frame["leak"] = frame["split_a"] != frame["split_b"]
    return frame.sort_values(["conflict", "leak"], ascending=False, kind="stable", ignore_index=True)[list(COLUMNS)]


def to_findings_csv(findings: pd.DataFrame) -> str:
    """`findings.csv`. Photos that are not split yet have an empty split."""
    words = {True: "true", False: "false"}
    shown = findings.assign(
        conflict=findings["conflict"].map(words),
        leak=findings["leak"].map(words),
        **{name: findings[name].replace(NO_SPLIT, "") for name in ("split_a", "split_b")},
    )
    return shown.to_csv(index=False, lineterminator="\n", float_format="%.6g")


def read_findings(folder: Folder) -> pd.DataFrame:
    """`findings.csv` of a folder, as `find_pairs` gives it. Raises FileNotFoundError; UserError where it is damaged."""
    dtypes = dict.fromkeys((name for name in COLUMNS if name != "score"), "str")
    try:
        content = io.BytesIO(folder.read_bytes(FINDINGS_FILE))
        frame = pd.read_csv(content, dtype=dtypes, keep_default_na=False)[list(COLUMNS)]
    except (ValueError, KeyError) as error:
        raise UserError(
            f"`{folder.path(FINDINGS_FILE)}` is damaged ({error}). Move it away; the audit writes it again."
        ) from None
    return frame.assign(
        conflict=frame["conflict"] == "true",
        leak=frame["leak"] == "true",
        **{name: frame[name].replace("", NO_SPLIT) for name in ("split_a", "split_b")},
    )


def photographs_of(findings: pd.DataFrame, paths: list[str]) -> Photographs:
    """The photographs that those rows tell of; `paths`: of all photos, in the order that pairs count in."""
    index = {path: place for place, path in enumerate(paths)}
    rows = zip(*(findings[name] for name in ("path_a", "path_b", "kind", "score", "how")), strict=True)
    pairs = [CopyPair(index[a], index[b], kind, float(score), how) for a, b, kind, score, how in rows]
    pairs.sort(key=lambda pair: (pair.a, pair.b))
    return Photographs(groups_of(len(paths), pairs), tuple(pairs))
