"""`facet crop`: the cropping step of a run, alone."""

from __future__ import annotations

import shutil

from datasets.shards import read_manifest
from orchestrator.cluster import connect
from orchestrator.cropping import crop_study, whole_crops
from orchestrator.detection.files import TABLE_FILE, where_to_look, write_crop_report
from orchestrator.progress import LiveView
from orchestrator.quiet import quiet
from orchestrator.report.detection import detection_table
from orchestrator.report.detection_words import counts_line, findings, terminal_table
from orchestrator.report.wording import counted
from orchestrator.run import prepare
from orchestrator.spec import Spec


def crop_only(spec: Spec, *, verbose: bool) -> list[str]:
    """Crop what is not cropped yet; what there is now, line by line for the terminal. Raises UserError."""
    with LiveView() as live:
        study, _, placement = prepare(spec, live, verbose=verbose, check_folder=False, train=False)
        manifest = read_manifest(study.crop_folder)
        if manifest is None:
            with quiet(not verbose):
                connect(spec.address, verbose=verbose)
                manifest, _ = crop_study(study, placement, live)
        with whole_crops(study.crop_folder):
            photos = write_crop_report(study.crop_folder)
    table = terminal_table(detection_table(photos), shutil.get_terminal_size().columns)
    left_out = "".join(f", {count} files {reason}" for reason, count in manifest.left_out.items())
    return [
        *([*table, ""] if table else []),
        *findings(photos),
        f"Photos: {counts_line(photos)}{left_out}",
        f"Photos to look at: {where_to_look(photos, study.crop_folder)}",
        f"Crops: {counted(len(manifest.shards), 'shard')} and {TABLE_FILE} in {study.crop_folder}",
    ]
