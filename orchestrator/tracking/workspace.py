"""A saved W&B workspace of one study: its curves, accuracies, tables and figures, side by side.

Run as a program (`python -m orchestrator.tracking.workspace`), it saves the workspace that its standard input asks for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

import wandb
import wandb_workspaces.reports.v2 as wr
import wandb_workspaces.workspaces as ws
from wandb_workspaces import expr

from orchestrator.tracking.child import SAVED
from orchestrator.tracking.content import STAGES

_GROUP = "Group"


def build_workspace(
    entity: str, project: str, *, spec_hash: str, tables: Sequence[str] = (), pictures: Sequence[str] = ()
) -> ws.Workspace:
    """The workspace, not saved: runs of that study alone, grouped by condition and, within it, by protocol.

    tables, pictures: keys of the summary run.
    """
    return ws.Workspace(
        entity=entity,
        project=project,
        name=workspace_name(spec_hash),
        sections=[
            ws.Section(name="Accuracy by condition", panels=_bars(), is_open=True),
            ws.Section(name="Curves by epoch", panels=_curves(), is_open=True),
            ws.Section(name="Curves by stage", panels=_stage_curves()),
            ws.Section(name="Tables", panels=[wr.WeavePanelSummaryTable(table_name=key) for key in tables]),
            ws.Section(name="Figures", panels=[wr.MediaBrowser(title=key, media_keys=[key]) for key in pictures]),
        ],
        runset_settings=ws.RunsetSettings(
            filters=expr.And(expr.Config("spec_hash") == spec_hash),
            groupby=[expr.Metric(_GROUP), expr.Metric("JobType")],
            pinned_columns=["summary:final/accuracy", "summary:final/macro_f1", "config:seed"],
        ),
    )


def workspace_name(spec_hash: str) -> str:
    """As the project's list of workspaces shows it."""
    return f"Ablation study {spec_hash[:8]}"


def main() -> None:
    """Save the workspace of standard input: project, spec_hash, tables, pictures; id and name of an earlier one."""
    asked = json.load(sys.stdin)
    earlier = {name: asked.pop(name, "") for name in ("id", "name")}
    workspace = build_workspace(wandb.Api().default_entity or "", **asked)
    workspace._internal_id, workspace._internal_name = (
        earlier["id"],
        earlier["name"],
    )  # save() has no other way to update
    workspace.save()
    print(SAVED + json.dumps({"id": workspace._internal_id, "name": workspace._internal_name}))


def _bars() -> list[Any]:
    titles = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "accuracy_with_face": "Accuracy, face found"}
    return [
        wr.BarPlot(
            title=f"{title} of the chosen epoch, mean over runs",
            metrics=[f"final/{name}"],
            groupby=_GROUP,
            groupby_aggfunc="mean",
            groupby_rangefunc="minmax",
        )
        for name, title in titles.items()
    ]


def _curves() -> list[Any]:
    titles = {
        "val_accuracy": "Validation accuracy",
        "val_macro_f1": "Validation macro F1",
        "val_loss": "Validation loss",
        "train_loss": "Training loss",
    }
    return [_curve(name, title) for name, title in titles.items()]


def _stage_curves() -> list[Any]:
    return [
        _curve(f"{stage}/{name}", f"{title}, {stage.replace('_', ' ')}")
        for stage in STAGES
        for name, title in (("val_accuracy", "Validation accuracy"), ("train_loss", "Training loss"))
    ]


def _curve(metric: str, title: str) -> wr.LinePlot:
    return wr.LinePlot(
        title=title,
        x="epoch",
        y=[metric],
        groupby=_GROUP,
        groupby_aggfunc="mean",
        groupby_rangefunc="minmax",
        title_x="epoch",
    )


if __name__ == "__main__":
    main()
