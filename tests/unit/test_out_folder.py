"""What is said where `--out` cannot be written."""

import pytest

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.out_folder import writing_to


def test_a_folder_that_cannot_be_written_is_named_with_a_way_out(tmp_path):
    (tmp_path / "file").write_text("in the way")
    folder = Folder.at(tmp_path / "file" / "below")
    with (
        pytest.raises(UserError, match=r"`--out` .*below cannot be written \(.+\)\. Name another folder\."),
        writing_to(folder),
    ):
        folder.write_text("page.html", "")
