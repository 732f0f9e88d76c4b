"""Write the cards of a run folder: one a kept model, one for the photos."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from datasets.folder import Folder
from orchestrator.cards.data_card import DATA_CARD, data_card
from orchestrator.cards.model_card import MODEL_CARD, model_card
from orchestrator.cards.statement import DataStatement
from orchestrator.report.context import ReportContext
from orchestrator.report.results import Results


def write_cards(
    run_folder: Folder,
    results: Results,
    context: ReportContext,
    tables: Mapping[str, pd.DataFrame],
    statement: DataStatement,
) -> list[str]:
    """`models/<folder>/README.md` of every model kept, and `data_card.md`; the names written, inside the folder."""
    written = []
    models = run_folder / "models"
    for name in models.folders():
        if models.exists(f"{name}/config.json"):
            card = model_card(models.read_json(f"{name}/config.json"), results, context, tables, statement)
            models.write_text(f"{name}/{MODEL_CARD}", card)
            written.append(f"models/{name}/{MODEL_CARD}")
    held = {
        name: run_folder.read_json(f"{name}.json") if run_folder.exists(f"{name}.json") else {}
        for name in ("study", "protocols")
    }
    run_folder.write_text(DATA_CARD, data_card(context, statement, **held))
    return [*written, DATA_CARD]
