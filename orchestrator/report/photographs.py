"""Which reported photos show the same photograph, from the audit that a run folder keeps."""

from __future__ import annotations

import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from datasets.folder import Folder
from orchestrator.audit.findings import FINDINGS_FILE, read_findings


def read_photographs(run_folder: Folder) -> dict[str, str]:
    """`name_photographs` of `findings.csv`; nothing where there was no audit. Raises UserError for a damaged file."""
    return name_photographs(read_findings(run_folder)) if run_folder.exists(FINDINGS_FILE) else {}


def name_photographs(findings: pd.DataFrame) -> dict[str, str]:
    """By path, the name of the photograph that the photo shows: the first path of its copies.

    findings: path_a and path_b of every pair. Photos without a copy are not in it.
    """
    paths = sorted({*findings["path_a"], *findings["path_b"]})
    if not paths:
        return {}
    place = {path: index for index, path in enumerate(paths)}
    ends = [[place[path] for path in findings[name]] for name in ("path_a", "path_b")]
    links = coo_array(([True] * len(findings), tuple(ends)), shape=(len(paths), len(paths)))
    number = connected_components(links, directed=False)[1].tolist()
    first: dict[int, str] = {}
    for path, component in zip(paths, number, strict=True):
        first.setdefault(component, path)
    return {path: first[component] for path, component in zip(paths, number, strict=True)}
