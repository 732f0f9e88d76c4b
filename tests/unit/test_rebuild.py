"""The lines that `facet report` ends with."""

from datasets.folder import Folder
from orchestrator.rebuild import rebuild_report
from tests.unit.compare_fixtures import trials, write_run


def test_report_of_a_copied_folder_names_no_sheet_that_is_not_there(tmp_path):
    lines = rebuild_report(Folder.at(write_run(tmp_path / "copy", trials(60, 2))))
    assert "Photos" in lines
    assert "Photos to look at" not in lines
