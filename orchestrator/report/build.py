"""The report of a run folder: tables, figures, the page, and the same in Markdown."""

from __future__ import annotations

from dataclasses import replace

from datasets.folder import Folder
from orchestrator.cards.statement import read_statement
from orchestrator.cards.write import write_cards
from orchestrator.ledger import Ledger
from orchestrator.paper import load_paper
from orchestrator.report.always_wrong import write_always_wrong
from orchestrator.report.answer_sections import report_answers
from orchestrator.report.audit_page import audit_tables
from orchestrator.report.context import ReportContext
from orchestrator.report.detection import detection_table
from orchestrator.report.figures import build_figures, write_figures
from orchestrator.report.page import page_content, render_both
from orchestrator.report.results import make_results
from orchestrator.report.sections import SECTIONS
from orchestrator.report.suspects import write_suspects
from orchestrator.report.tables import build_tables
from orchestrator.report.write import write_latex_of_all, write_tables

__all__ = ["ReportContext", "build_report"]


def build_report(run_folder: Folder, context: ReportContext) -> list[str]:
    """Write tables/, figures/, report.html, report.md and the cards from the finished trials of `context.keys`.

    They may be few.

    Returns the names of the written files, relative to the folder. Raises UserError for a `data_statement.yaml` that
    cannot be understood, before anything is written.
    """
    statement = read_statement(run_folder, generated=context.generated)
    ledger, paper = Ledger(run_folder), load_paper()
    records = ledger.read_all(context.keys)
    results = make_results(records, ledger.read_predictions(records), ledger.read_predictions(records, "excluded"))
    tables, figures = (
        build_tables(results, paper, context.registered.hypotheses, context.draw_of),
        build_figures(results, paper),
    )
    extra = {} if context.photos is None else {"detection": detection_table(context.photos)}
    audit = {} if context.audit is None else audit_tables(context.audit)
    answers = report_answers(results, context.draw_of)
    tables, figures = tables | answers.tables, figures | answers.figures
    every = {**tables, **extra, **audit}
    written = write_tables(every, run_folder) + write_latex_of_all(every, run_folder)
    written += write_figures(figures, run_folder)
    written.append(write_always_wrong(answers.wrong, run_folder))
    images = {name: run_folder.read_bytes(f"figures/{name}.svg") for name in figures}
    suspects = write_suspects(results, run_folder, context.draw_of)
    if suspects is not None:
        written += [suspects.file] if suspects.file else []
        context = replace(context, notes=[*context.notes, suspects.sentence])
    written += write_cards(run_folder, results, context, tables, statement)
    content = page_content(
        results, context, paper=paper, tables=tables, figures=images, sections=(*SECTIONS, *answers.sections)
    )
    pages = render_both(content)
    for name, text in pages.items():
        run_folder.write_text(name, text)
    return [*written, *pages]
