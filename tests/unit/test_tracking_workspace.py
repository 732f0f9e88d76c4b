"""The workspace as W&B would store it. It is built here, and saved nowhere."""

import json

import pytest

pytestmark = pytest.mark.filterwarnings("ignore:Pydantic V1 style")  # wandb_workspaces, when it is imported


@pytest.fixture(scope="module")
def stored() -> dict:
    from orchestrator.tracking.workspace import build_workspace

    workspace = build_workspace(
        "me", "p", spec_hash="feedc0de00000000", tables=["tables/table1"], pictures=["figures/figure3"]
    )
    return json.loads(workspace._to_model().spec.model_dump_json(by_alias=True, exclude_none=True))


def panels(stored: dict, section: str) -> list[dict]:
    sections = {one["name"]: one["panels"] for one in stored["section"]["panelBankConfig"]["sections"]}
    return sections[section]


def test_final_accuracy_is_a_bar_a_condition(stored):
    first = panels(stored, "Accuracy by condition")[0]
    assert first["viewType"] == "Bar Chart"
    assert (first["config"]["metrics"], first["config"]["groupBy"]) == (["final/accuracy"], "group")
    assert first["config"]["groupAgg"] == "mean"


def test_validation_accuracy_is_a_line_by_epoch_a_condition(stored):
    first = panels(stored, "Curves by epoch")[0]
    assert first["viewType"] == "Run History Line Plot"
    assert (first["config"]["metrics"], first["config"]["xAxis"]) == (["val_accuracy"], "epoch")
    assert first["config"]["groupBy"] == "group"


def test_every_stage_has_its_curves(stored):
    metrics = {panel["config"]["metrics"][0] for panel in panels(stored, "Curves by stage")}
    assert {"head/val_accuracy", "finetune/val_accuracy", "end_to_end/train_loss"} < metrics


def test_tables_and_figures_of_the_summary_run_are_shown(stored):
    assert "tables/table1" in json.dumps(panels(stored, "Tables"))
    assert "figures/figure3" in json.dumps(panels(stored, "Figures"))


def test_only_the_runs_of_the_study_are_shown_by_condition_and_protocol(stored):
    (runs,) = stored["section"]["runSets"]
    assert "feedc0de00000000" in json.dumps(runs["filters"])
    assert [key["name"] for key in runs["grouping"]] == ["group", "jobType"]
