"""`facet crop`: the cropping step of a run, alone."""

from __future__ import annotations

from datasets.shards import read_manifest
from orchestrator.cluster import connect
from orchestrator.progress import LiveView
from orchestrator.quiet import quiet
from orchestrator.run import crop_study, prepare
from orchestrator.spec import Spec


def crop_only(spec: Spec, *, verbose: bool) -> dict[str, str]:
    """Crop what is not cropped yet; what there is now, for the terminal. Raises UserError."""
    with LiveView() as live:
        study, _, placement = prepare(spec, live, verbose=verbose, check_folder=False, train=False)
        manifest = read_manifest(study.crop_folder)
        if manifest is None:
            with quiet(not verbose):
                connect(spec.address, verbose=verbose)
                manifest = crop_study(study, placement, live)
    return {
        "Photos": str(manifest.num_photos),
        **{f"  {status}": str(count) for status, count in manifest.statuses.items()},
        **{f"  left out, {reason}": str(count) for reason, count in manifest.left_out.items()},
        "Shards": f"{len(manifest.shards)} in {study.crop_folder}",
    }
