"""CSV that spreadsheets open without harm, and LaTeX that compiles."""

import csv
import io
import re
import shutil
import subprocess

import pandas as pd
import pytest

from datasets.folder import Folder
from orchestrator.paper import load_paper
from orchestrator.report.csv_text import to_csv
from orchestrator.report.latex import LONG_ROWS, PART_LINES, escape, to_latex
from orchestrator.report.tables import build_tables
from orchestrator.report.write import write_latex_of_all, write_tables
from tests.unit.report_fixtures import make_record, make_study, results_of

ODD = "50 % & a_b #1 {x} ~^\\ <i> [t] $y$"


def parsed(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def odd_tables(name=ODD):
    classes = {"classes": (name, "y"), "true_labels": (name, "y")}
    records = [make_record(condition, 0, 1, **classes) for condition in ("proposed", "minus_crop", "minus_staging")]
    return build_tables(results_of(records), load_paper())


@pytest.mark.parametrize("text", ["=1+1", "+1 (555)", "-x", "@SUM(A1)", "\t=1", "\n=1", "\r=1"])
def test_text_that_looks_like_a_formula_gets_an_apostrophe(text):
    cell = parsed(to_csv(pd.DataFrame({"a": [text]})))[1][0]
    assert cell == "'" + text.replace("\r", "\n")


@pytest.mark.parametrize("text", ["-1.5", "+2", "-.5e-3", "joy", "a=1", "'=1", ""])
def test_numbers_and_other_texts_stay_as_they_are(text):
    assert parsed(to_csv(pd.DataFrame({"a": [text], "b": [1]})))[1][0] == text


def test_numbers_stay_numbers_beside_texts():
    table = pd.DataFrame({"n": [-0.12345678, float("nan")], "mixed": [-1.5, "-x"], "flag": [True, False]})
    assert to_csv(table) == "n,mixed,flag\n-0.123457,-1.5,True\n,'-x,False\n"


def test_quotes_commas_and_line_breaks_come_back():
    texts = ['say "a"', "a,b", "a\nb", "ä 漢"]
    assert [row[0] for row in parsed(to_csv(pd.DataFrame({"a": texts})))[1:]] == texts
    assert parsed(to_csv(pd.DataFrame({"a": ["x\ry", "x\r\ny"], "b": [1, 2]})))[1:] == [["x\ny", "1"], ["x\ny", "2"]]


def test_every_row_of_a_latex_table_has_a_cell_for_each_column():
    for name, table in odd_tables().items():
        text = to_latex(name, table)
        rows = [line for line in text.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
        cells = {len(re.split(r"(?<!\\)&", row)) for row in rows}
        assert len(cells) == 1, name
        assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}"), name
        assert text.count(r"\begin{") == text.count(r"\end{")


def test_no_special_character_is_left_bare():
    assert not re.search(r"(?<!\\)[&%#_]", escape(ODD))
    assert escape("a\nb") == "a b"


def test_negative_numbers_have_a_minus_and_words_a_hyphen():
    text = to_latex("table5", build_tables(results_of(make_study(6)), load_paper())["table5"])
    assert "$-$1.0 epochs" in text
    assert "end-to-end" in to_latex("table2", build_tables(results_of(make_study(2)), load_paper())["table2"])


def long_tables():
    table = odd_tables()["table3"]
    return {"table3": pd.concat([table] * LONG_ROWS, ignore_index=True)}


def test_a_long_table_breaks_over_pages():
    text = to_latex("table3", long_tables()["table3"])
    assert r"\begin{longtable}" in text
    parts = [part.count(r" \\") for part in text.split(r"\midrule")[1:]]
    assert len(parts) > 2
    assert max(parts) <= PART_LINES + 3


@pytest.mark.parametrize("make_tables", [odd_tables, long_tables])
def test_all_tables_compile(make_tables, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex is installed")
    tables, folder = make_tables(), Folder.at(tmp_path)
    write_tables(tables, folder)
    write_latex_of_all(tables, folder)
    paper = (
        (tmp_path / "tables" / "preview.tex").read_text().replace(r"a4paper,landscape,margin=15mm", "textwidth=80mm")
    )
    (tmp_path / "tables" / "paper.tex").write_text(paper)
    for name in ("preview", "paper"):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
        ran = subprocess.run(command, cwd=tmp_path / "tables", capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout[-2000:]
        log = (tmp_path / "tables" / f"{name}.log").read_text(errors="replace")
        assert "! " not in log
        assert "Overfull \\hbox" not in log
