"""`facet check-paper`: says what the reported values of a study do not allow."""

from __future__ import annotations

from dataclasses import dataclass

from datasets.errors import UserError
from datasets.folder import Folder
from orchestrator.out_folder import writing_to
from orchestrator.paper import load_paper
from orchestrator.paper_check.checks import all_findings, run_checks
from orchestrator.paper_check.from_paper import reported_by
from orchestrator.paper_check.output import json_text, markdown, terminal_lines
from orchestrator.paper_check.read import read_reported

JSON_FILE, MARKDOWN_FILE = "paper_check.json", "paper_check.md"


@dataclass(frozen=True)
class PaperResult:
    """`lines`: for the terminal. `clean`: whether there is no finding."""

    lines: list[str]
    clean: bool


def check_paper(path: str | None, *, out: str | None) -> PaperResult:
    """Check the values of a YAML file, or of the published study that ships; files into `out`. Raises UserError."""
    reported = read_reported(path) if path else reported_by(load_paper())
    checked = run_checks(reported)
    if not any(one.made for one in checked):
        raise UserError(
            f"`{path}` holds too little for any check. Give `counts` and `rows` at the least; examples/reported.yaml "
            "is an example."
        )
    lines = terminal_lines(reported, checked)
    if out:
        folder = Folder.at(out)
        _writable(folder)
        with writing_to(folder):
            folder.write_text(JSON_FILE, json_text(reported, checked))
            folder.write_text(MARKDOWN_FILE, markdown(reported, checked))
        lines += ["", f"Written: {JSON_FILE} and {MARKDOWN_FILE} in {folder}"]
    return PaperResult(lines, not all_findings(checked))


def _writable(folder: Folder) -> None:
    try:
        blocked = folder.exists() and folder.filesystem.get_file_info(folder.base).is_file
    except OSError as error:
        raise UserError(f"`--out` {folder} cannot be reached ({' '.join(str(error).split())}).") from None
    if blocked:
        raise UserError(f"`--out` {folder} is a file. Name a folder.")
