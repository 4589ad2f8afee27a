"""Who is in a kept crowd as of a time: one SELECT, or several where a hash of Kairos decides in between."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow
import pyarrow.parquet

from kairos.adapters.warehouse.duckdb import connect, quoted
from kairos.adapters.warehouse.port import Engine
from kairos.engine.crowd.past import Past, everyone_sql, values_sql
from kairos.engine.crowd.select import is_drawn, select_of
from kairos.engine.crowd.spec import Crowd, Limit, Sample, SetCrowd
from kairos.engine.decision import share_of

_SCHEMA = pyarrow.schema([("user_id", pyarrow.string())])
_JOINTS = {"union": "UNION", "intersect": "INTERSECT", "difference": "EXCEPT"}


class Members:
    """Parquet files of user_id, each once, in `folder`. `crowds`: by name; `is_fixed`: of which the members are there.

    Raises QueryError, NotInSql and NotComputedError.
    """

    def __init__(
        self, engine: Engine, past: Past, crowds: dict[str, Crowd], is_fixed: Callable[[str], bool], folder: Path,
        seconds: float,
    ) -> None:  # fmt: skip
        self._engine, self._past, self._crowds, self._is_fixed = engine, past, crowds, is_fixed
        self._folder, self._seconds = folder, seconds
        self._files = 0

    def of(self, name: str) -> Path:
        return self._of(self._crowds[name], name)

    def named(self, name: str) -> Iterator[str]:
        """Of a crowd that another one speaks of: as of then, or those of its live snapshot where it is fixed."""
        return self.users(self._of(name, name))

    def _of(self, crowd: str | Crowd | None, salt: str) -> Path:
        if crowd is None:
            return self._selected(everyone_sql(self._past))
        if not is_drawn(crowd, self._crowds, self._is_fixed):
            return self._selected(select_of(crowd, self._past))
        match crowd:
            case str():
                return self._of(self._crowds[crowd], crowd)
            case Sample(share=share, of=of):
                return self.written(user for user in self.users(self._of(of, salt)) if share_of(user, salt) < share)
            case Limit(count=count, of=of, by=None):
                users = self.users(self._of(of, salt))
                return self.written(heapq.nsmallest(count, users, key=lambda user: (share_of(user, salt), user)))
            case Limit(count=count, of=of, by=by) if by is not None:
                return self._ranked(self._of(of, salt), self._selected(values_sql(by, self._past)), count)
            case SetCrowd(operation=operation, parts=parts):
                files = [self._of(part, salt) for part in parts]
                selects = [f"SELECT user_id FROM read_parquet({quoted(file)})" for file in files]
                return self._joined(f" {_JOINTS[operation]} ".join(selects))
        raise TypeError(crowd)

    def _selected(self, sql: str) -> Path:
        file = self._next()
        self._engine.into(sql, file, self._seconds)
        return file

    def _ranked(self, users: Path, values: Path, count: int) -> Path:
        joined = f"read_parquet({quoted(users)}) JOIN read_parquet({quoted(values)}) USING (user_id)"
        return self._joined(f"SELECT user_id FROM {joined} ORDER BY value DESC NULLS LAST, user_id LIMIT {count}")

    def _joined(self, sql: str) -> Path:
        """Of files that are here."""
        file = self._next()
        connection = connect(self._folder / "spill")
        try:
            connection.execute(f"COPY ({sql}) TO {quoted(file)} (FORMAT parquet)")
        finally:
            connection.close()
        return file

    def users(self, file: Path) -> Iterator[str]:
        for batch in pyarrow.parquet.ParquetFile(file).iter_batches(columns=["user_id"]):
            yield from batch.column(0).to_pylist()

    def written(self, users: Iterable[str]) -> Path:
        file = self._next()
        pyarrow.parquet.write_table(pyarrow.table([pyarrow.array(users, pyarrow.string())], schema=_SCHEMA), file)
        return file

    def _next(self) -> Path:
        self._files += 1
        return self._folder / f"members-{self._files}.parquet"
