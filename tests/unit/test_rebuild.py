"""The lines that `facet report` ends with."""

import pandas as pd

from datasets.folder import Folder
from orchestrator.rebuild import rebuild_report
from tests.unit.compare_fixtures import trials, write_run


def test_report_of_a_copied_folder_names_no_sheet_that_is_not_there(tmp_path):
    lines = rebuild_report(Folder.at(write_run(tmp_path / "copy", trials(60, 2))))
    assert "Photos" in lines
    assert "Photos to look at" not in lines


def test_best_condition_has_the_interval_of_table_1(tmp_path):
    folder = Folder.at(write_run(tmp_path / "run", [*trials(60, 2), *trials(70, 2, conditions=["eca"])]))
    lines = rebuild_report(folder)
    table = pd.read_csv(tmp_path / "run" / "tables" / "table1.csv").set_index("condition")
    best = table.loc["eca"]
    bounds = f"({best['accuracy_general_low']:.1%} to {best['accuracy_general_high']:.1%})".replace("%", "")
    assert lines["Best condition (paper)"] == f"eca, accuracy {best['accuracy_mean'] * 100:.1f} % {bounds} for " + (
        "other seeds and photos, 2 seeds"
    )
    assert table["accuracy_mean"].idxmax() == "eca"
