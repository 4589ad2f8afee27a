"""Profiles from a Parquet file, read batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from kairos.adapters.profiles.file import ProfileFileError
from kairos.adapters.profiles.table import USER, Report, Row, Types, columns, fields_of

BATCH_ROWS = 10_000


def parquet_rows(path: Path, known: Types | None, report: Report, mapping: Mapping[str, str]) -> Iterator[Row]:
    """Places are numbers of rows, from 1."""
    number = 0
    try:
        with path.open("rb") as stream, pyarrow.parquet.ParquetFile(stream) as file:
            names = file.schema_arrow.names
            written = {field: name for field, name in zip(fields_of(names, mapping), names, strict=True) if field}
            wanted = columns(written, known, report, "columns")
            for batch in file.iter_batches(BATCH_ROWS, columns=sorted(written[name] for name in wanted | {USER})):
                for row in batch.to_pylist():
                    number += 1
                    fields = {name: _plain(row[written[name]]) for name in wanted if not _is_empty(row[written[name]])}
                    yield Row(f"row {number}", row[written[USER]], fields)
    except pyarrow.ArrowException as error:
        raise ProfileFileError(f"not Parquet: {error}") from None


def _is_empty(value: Any) -> bool:
    """pandas writes a missing number as NaN."""
    return value is None or value != value


def _plain(value: Any) -> Any:
    """As JSON has it: a moment in epoch ms (one without a zone is UTC), a day as text."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return int(moment.timestamp() * 1000)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, dict):
        return {name: _plain(element) for name, element in value.items()}
    return value
