"""Where crowds are built, and what stands of them so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from kairos.adapters.crowds.port import CrowdStore, Live
from kairos.adapters.crowds.sqlite import SqliteCrowds
from kairos.adapters.warehouse.crowd_files import NOTES, Build
from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.engine.crowd.spec import Crowd
from kairos.engine.measure.spec import Measures
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.text.report import listed, nearest
from kairos.usecases.errors import NotThereError


class Told(Protocol):
    """Who hears of a new snapshot. Calls return when it is certain that they have; to tell twice does no harm."""

    def flipped(self, crowd: str, live: Live, size: int) -> None: ...

    def changed(self, crowd: str, live: Live, entered: Iterable[str], left: Iterable[str]) -> None: ...


@dataclass(frozen=True)
class Places:
    """`engine`: as in `open_engine`. `store`: where the job looks. `told`: None where there is no job that listens.
    `seconds`: what one crowd may take. `log`: the rule store in whose log stands who built what; None: in none."""

    warehouse: Path
    rules: RuleSet
    measures: Measures = field(default_factory=Measures)
    engine: str = DUCKDB
    store: Callable[[], CrowdStore] | None = None
    told: Told | None = None
    seconds: float = 600.0
    log: str | None = None

    def open_store(self) -> CrowdStore:
        """Without another one it is a file in the warehouse."""
        return self.store() if self.store is not None else SqliteCrowds(self.warehouse / NOTES / "live.db")

    @contextmanager
    def asking(self, engine: str = DUCKDB) -> Iterator[Engine]:
        opened = open_engine(self.warehouse, engine)
        try:
            yield opened
        finally:
            opened.close()

    def kept(self, name: str) -> Crowd:
        """Raises NotThereError."""
        if name in self.rules.kept:
            return self.rules.crowds[name]
        if name in self.rules.crowds:
            raise NotThereError(f"the crowd '{name}' is asked live, and has no snapshots; `refresh: 1d` keeps it")
        known = sorted(self.rules.kept)
        hint = nearest(name, known) or (f"kept are {listed(known, 'and')}" if known else "crowds.yaml keeps none")
        raise NotThereError(f"there is no crowd '{name}'; {hint}")


def builds(engine: Engine, crowd: str | None = None) -> dict[str, list[Build]]:
    """Crowd -> its builds, in the order in which they were."""
    columns = ", ".join(Build.__struct_fields__)
    where = "" if crowd is None else "WHERE crowd = $crowd"
    sql = f"SELECT {columns} FROM crowd_builds {where} ORDER BY crowd, number"
    found: dict[str, list[Build]] = {}
    for row in engine.query(sql, {} if crowd is None else {"crowd": crowd}).rows:
        found.setdefault(row[0], []).append(Build(*row))
    return found


def live_build(history: Iterable[Build]) -> Build | None:
    """The newest of those that were not refused."""
    return max((build for build in history if build.n is not None), key=lambda build: build.number, default=None)
