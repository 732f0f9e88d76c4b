"""The ledger: one record a finished trial, written whole or not at all. What it holds is never computed again.

docs/run-folder.md documents every field of a record.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.folder import Folder

FORMAT = 1
Record = dict[str, Any]

PREDICTIONS_SCHEMA = pa.schema(
    [
        pa.field("photo", pa.string(), metadata={"doc": "path relative to the source"}),
        pa.field("condition", pa.string()),
        pa.field("protocol", pa.string()),
        pa.field("seed", pa.int32()),
        pa.field("true_label", pa.string()),
        pa.field("predicted_label", pa.string()),
        pa.field("face_found", pa.bool_()),
        pa.field(
            "logits", pa.list_(pa.float32()), metadata={"doc": "one a class, in the order of the record's classes"}
        ),
    ]
)


@dataclass(frozen=True)
class Ledger:
    """Records and predictions of a run folder, by trial key."""

    run_folder: Folder

    @property
    def _records(self) -> Folder:
        return self.run_folder / "ledger"

    def keys(self) -> set[str]:
        """The trials that are finished."""
        return {name.removesuffix(".json") for name in self._records.names(".json")}

    def has(self, key: str) -> bool:
        """Whether that trial is finished."""
        return self._records.exists(f"{key}.json")

    def read(self, key: str) -> Record:
        """One record. Raises FileNotFoundError."""
        return self._records.read_json(f"{key}.json")

    def read_all(self, keys: Iterable[str] | None = None) -> list[Record]:
        """The records of `keys` that are there (all by default), ordered by condition, protocol and seed."""
        wanted = self.keys() if keys is None else self.keys() & set(keys)
        records = [self.read(key) for key in sorted(wanted)]
        return sorted(records, key=lambda record: (record["condition"], record["protocol"], record["seed"]))

    def write(self, record: Record, predictions: pa.Table) -> None:
        """Predictions first, the record last: a record in the ledger is complete."""
        self.run_folder.write_bytes(record["predictions"], _parquet(predictions))
        self._records.write_text(f"{record['key']}.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")

    def read_predictions(self, records: Iterable[Record]) -> pd.DataFrame:
        """The predictions of those trials, one row a (trial, photo); the columns of PREDICTIONS_SCHEMA."""
        return self._predictions_table(records).to_pandas()

    def write_merged_predictions(self, records: Iterable[Record]) -> None:
        """`predictions.parquet`: the predictions of those trials in one file."""
        self.run_folder.write_bytes("predictions.parquet", _parquet(self._predictions_table(records)))

    def _predictions_table(self, records: Iterable[Record]) -> pa.Table:
        files = (pa.BufferReader(self.run_folder.read_bytes(record["predictions"])) for record in records)
        tables = [pq.read_table(file, schema=PREDICTIONS_SCHEMA) for file in files]
        return pa.concat_tables(tables) if tables else PREDICTIONS_SCHEMA.empty_table()


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
