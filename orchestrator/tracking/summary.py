"""The run that holds the comparison: the report's tables, verdicts and figures as one W&B run of a fixed id."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from datasets.fingerprint import fingerprint
from datasets.folder import Folder
from orchestrator.detection.photos import read_photos_csv
from orchestrator.ledger import Record
from orchestrator.tracking.content import Picture, RunContent, Table
from orchestrator.tracking.private import photo_names, without_photos

JOB_TYPE = "summary"
_ACCURACY = ("accuracy_mean", "accuracy_low", "accuracy_high", "macro_f1_mean", "seeds")


def summary_content(
    run_folder: Folder, records: Sequence[Record], photos: Mapping[str, Sequence[Picture]]
) -> RunContent:
    """What the report of `run_folder` says, but for columns that name photos.

    records: the finished trials, at least one. photos: face crops, where the user wants them sent.
    """
    shared = {name: records[0][name] for name in ("spec_hash", "data_fingerprint", "data_generated")}
    tables = read_tables(run_folder)
    return RunContent(
        id=summary_id(shared["spec_hash"], shared["data_fingerprint"]),
        name=f"summary-{shared['spec_hash'][:8]}",
        group=JOB_TYPE,
        job_type=JOB_TYPE,
        finished_at=min(record["finished_at"] for record in records),  # stays, however the study grows
        config=shared | _grid(records),
        tables={f"tables/{name}": _table(table) for name, table in tables.items() if len(table)},
        summary=_numbers(tables),
        pictures={**_figures(run_folder), **photos},
    )


def summary_id(spec_hash: str, data_fingerprint: str) -> str:
    """The id of a study's summary run: one study is one run, however often its report is written."""
    return fingerprint({"kind": JOB_TYPE, "spec_hash": spec_hash, "data_fingerprint": data_fingerprint})


def read_tables(run_folder: Folder) -> dict[str, pd.DataFrame]:
    """`tables/*.csv` by name, without the columns that name photos or places."""
    photos, folder = read_photos_csv(run_folder), run_folder / "tables"
    names = frozenset() if photos is None else photo_names(photos["path"])
    files = {name.removesuffix(".csv"): folder.read_bytes(name) for name in folder.names(".csv")}
    tables = {name: pd.read_csv(io.BytesIO(csv), keep_default_na=False, na_values=[""]) for name, csv in files.items()}
    return {name: without_photos(table, names) for name, table in tables.items()}


def _grid(records: Sequence[Record]) -> dict[str, Any]:
    columns = {f"{name}s": sorted({record[name] for record in records}) for name in ("condition", "protocol", "seed")}
    return {**columns, "trials": len(records)}


def _table(table: pd.DataFrame) -> Table:
    cells = table.astype(object).where(table.notna(), None)
    return Table(list(table.columns), [list(row) for row in cells.itertuples(index=False, name=None)])


def _numbers(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Accuracy as conditions/<condition>/<protocol>/<column>, verdicts as verdicts/<claim>/<protocol>/<column>."""
    numbers = _flat("conditions", tables["table1"], _ACCURACY) if "table1" in tables else {}
    for table in tables.values():
        if "verdict" in table:
            numbers |= _flat("verdicts", table, ["verdict", *table.select_dtypes("number").columns])
    return numbers


def _flat(kind: str, table: pd.DataFrame, columns: Sequence[str]) -> dict[str, Any]:
    """The cells of `columns`, each named by its row: the first column, and the protocol where there is one."""
    held = _table(table)
    rows = [dict(zip(held.columns, row, strict=True)) for row in held.rows]
    named = [("/".join([kind, str(row[held.columns[0]]), *_protocol(row)]), row) for row in rows]
    return {f"{name}/{column}": row[column] for name, row in named for column in columns if row[column] is not None}


def _protocol(row: Mapping[str, Any]) -> list[str]:
    return [row["protocol"]] if "protocol" in row else []


def _figures(run_folder: Folder) -> dict[str, list[Picture]]:
    """Plots alone: no photo lies in a run folder."""
    folder = run_folder / "figures"
    return {f"figures/{name.removesuffix('.png')}": [Picture(folder.read_bytes(name))] for name in folder.names(".png")}
