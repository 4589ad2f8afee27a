"""A score from a table of one's own: a CSV or Parquet file with a column `user_id` and one of numbers."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow
import pyarrow.csv
import pyarrow.parquet

from kairos.errors import KairosError

USER = "user_id"


class ScoreTableError(KairosError):
    """The file cannot be read as scores; the message names it, and says what is wrong."""


def read_scores(path: Path, column: str) -> dict[str, float]:
    """User -> number; rows without one are left out. Raises ScoreTableError."""
    try:
        if path.suffix == ".parquet":
            table = pyarrow.parquet.read_table(path)
        else:
            options = pyarrow.csv.ConvertOptions(column_types={USER: pyarrow.string(), column: pyarrow.float64()})
            table = pyarrow.csv.read_csv(path, convert_options=options)
    except (OSError, pyarrow.ArrowException) as error:
        raise ScoreTableError(f"{path}: {getattr(error, 'strerror', None) or str(error).splitlines()[0]}") from None
    for name in (USER, column):
        if name not in table.column_names:
            raise ScoreTableError(f"{path}: there is no column '{name}'; there are {', '.join(table.column_names)}")
    try:
        numbers = table[column].cast(pyarrow.float64()).to_pylist()
    except pyarrow.ArrowException:
        raise ScoreTableError(f"{path}: the column '{column}' holds no numbers") from None
    pairs = zip(map(str, table[USER].to_pylist()), numbers, strict=True)
    return {user: number for user, number in pairs if number is not None and math.isfinite(number)}
