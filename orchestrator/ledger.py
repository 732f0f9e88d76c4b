"""The ledger: one record a finished trial, written whole or not at all. What it holds is never computed again.

docs/run-folder.md documents every field of a record.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from datasets.folder import Folder

FORMAT = 2
Record = dict[str, Any]
_ORDER = ("condition", "protocol", "seed", "fold")

PREDICTIONS_SCHEMA = pa.schema(
    [
        pa.field("photo", pa.string(), metadata={"doc": "path relative to the source"}),
        pa.field("condition", pa.string()),
        pa.field("protocol", pa.string()),
        pa.field("seed", pa.int32()),
        pa.field("fold", pa.int32(), metadata={"doc": "0 where the protocol has no folds"}),
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
        """The records of `keys` that are there (all by default), ordered by condition, protocol, seed and fold."""
        wanted = self.keys() if keys is None else self.keys() & set(keys)
        records = [self.read(key) for key in sorted(wanted)]
        return sorted(records, key=lambda record: tuple(record[name] for name in _ORDER))

    def write(self, record: Record, predictions: pa.Table, excluded: pa.Table) -> None:
        """Predictions first, the record last: a record in the ledger is complete.

        excluded: of photos that are reported but for their class, which the model does not know.
        """
        self.run_folder.write_bytes(record["predictions"], _parquet(predictions))
        if record["excluded"] is not None:
            self.run_folder.write_bytes(record["excluded"], _parquet(excluded))
        self._records.write_text(f"{record['key']}.json", json.dumps(record, indent=1, ensure_ascii=False) + "\n")

    def read_predictions(self, records: Iterable[Record], kind: str = "predictions") -> pd.DataFrame:
        """The predictions of those trials, one row a (trial, photo); the columns of PREDICTIONS_SCHEMA.

        kind: `predictions` of the reported photos, or `excluded` of those whose class was left out.
        """
        return self._predictions_table(records, kind).to_pandas()

    def write_merged_predictions(self, records: Sequence[Record]) -> None:
        """`predictions.parquet` and, where a class was left out, `excluded.parquet`: of those trials in one file."""
        for kind in ("predictions", "excluded"):
            table = self._predictions_table(records, kind)
            if kind == "predictions" or len(table):
                self.run_folder.write_bytes(f"{kind}.parquet", _parquet(table))
            else:
                self.run_folder.delete(f"{kind}.parquet")  # of an earlier, larger plan

    def _predictions_table(self, records: Iterable[Record], kind: str) -> pa.Table:
        names = [record[kind] for record in records if record[kind] is not None]
        files = (pa.BufferReader(self.run_folder.read_bytes(name)) for name in names)
        tables = [pq.read_table(file, schema=PREDICTIONS_SCHEMA) for file in files]
        return pa.concat_tables(tables) if tables else PREDICTIONS_SCHEMA.empty_table()


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()
