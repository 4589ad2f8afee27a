"""`kairos people index`: what people are found by, from the warehouse, anew; and kept up while the warehouse grows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.profiles.file import Profiles
from kairos.adapters.search.entries import CLAIMS, claim_entry, decision_entry, person_entry
from kairos.adapters.search.port import Entry, SearchStore
from kairos.adapters.warehouse.opening import DUCKDB, open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.adapters.warehouse.rows import Row, hashed
from kairos.engine.channel import ADDRESSES
from kairos.engine.expression.sql.pieces import quoted
from kairos.engine.rule.model import RuleSet
from kairos.engine.warehouse.tables import DECISIONS, EVENTS, Table
from kairos.usecases.progress import Progress, silent

DAY = 86_400_000
KEPT = 90 * DAY
"""Decisions are found so long, counted back from the newest event or decision."""


def index(
    warehouse: Path, rules: RuleSet, store: SearchStore, engine: str = DUCKDB, progress: Progress = silent
) -> int:
    """Everything anew; what is there answers until it is done. Returns how many entries. Raises KairosError."""
    with closing(open_engine(warehouse, engine)) as opened, progress("indexing", None) as tell:
        return store.replace(_counted(_entries(opened, claims_of(rules)), tell))


def claims_of(rules: RuleSet) -> list[str]:
    """Props of events that say whose a device, an account or an address is."""
    said = [source.identity for source in (rules.sources or {}).values() if isinstance(source.identity, dict)]
    return sorted({*CLAIMS, *(name for identity in said for name in identity)})


def _counted(entries: Iterator[Entry], tell: Any) -> Iterator[Entry]:
    for number, entry in enumerate(entries, start=1):
        if tell is not None and not number % 10_000:
            tell(number)
        yield entry


def _entries(engine: Engine, claims: Iterable[str]) -> Iterator[Entry]:
    addresses = [name for name in engine.columns("profiles") if name in ADDRESSES]
    for user, *known in engine.query(f"SELECT {', '.join(['user_id', *addresses])} FROM profiles").rows:
        yield person_entry(user, filter(None, known))
    without = "SELECT DISTINCT user_id FROM events WHERE user_id NOT IN (SELECT user_id FROM profiles)"
    for (user,) in engine.query(without).rows:
        yield person_entry(user)
    for name in claims:
        value = f"kairos_text(kairos_json(props, {quoted(f'$.{name}')}))"
        for user, claim in engine.query(f"SELECT DISTINCT user_id, {value} FROM events WHERE {value} <> ''").rows:
            yield claim_entry(user, name, claim)
    yield from _decisions(engine)


def _decisions(engine: Engine) -> Iterator[Entry]:
    """Day by day: all of them at once would be too many for memory."""
    newest = engine.query("SELECT max(at_ms) FROM decisions").rows[0][0]
    if newest is None:
        return
    columns = ("user_id", "at_ms", "activity", "occurrence", "attempt", "outcome", "reason", "channel", "data")
    for start in range(newest - KEPT, newest + 1, DAY):
        sql = f"SELECT {', '.join(columns)} FROM decisions WHERE at_ms >= $start AND at_ms < $end AND NOT shadow"
        for row in engine.query(sql, {"start": start, "end": start + DAY}).rows:
            yield decision_entry(dict(zip(columns, row, strict=True)))


# --------------------------------------------------------------------------------------------------------- followed
@dataclass
class Following:
    """Puts what is written into a warehouse into a store as well. `claims`: as of `claims_of`."""

    store: SearchStore
    claims: Iterable[str]
    _newest: int = 0
    _trimmed: int = 0

    def written(self, rows: Iterable[tuple[Table, Row]], profiles: Profiles | None) -> None:
        """Adds what was written to the search entries; a repetition after a crash changes nothing. Raises
        SearchError."""
        self.store.put(self._of_rows(rows))
        if profiles is not None:
            self.store.put(_of_profiles(profiles))
        if self._newest - self._trimmed >= DAY:
            self.store.trim(self._newest - KEPT)
            self._trimmed = self._newest

    def _of_rows(self, rows: Iterable[tuple[Table, Row]]) -> Iterator[Entry]:
        known: set[str] = set()
        for table, row in rows:
            if table is not EVENTS and table is not DECISIONS:
                continue
            named = dict(zip(table.types, row, strict=True))
            user = named["user_id"]
            if user not in known:
                known.add(user)
                yield claim_entry(user, "user id", user)
            if table is DECISIONS:
                self._newest = max(self._newest, named["at_ms"])
                if not named["shadow"] and named["at_ms"] >= self._newest - KEPT:
                    yield decision_entry(named)
            else:
                yield from self._claims(user, msgspec.json.decode(named["props"] or "{}"))

    def _claims(self, user: str, props: Mapping[str, Any]) -> Iterator[Entry]:
        for name in self.claims:
            value = props.get(name)
            if isinstance(value, str) and value:
                yield claim_entry(user, name, value)


def _of_profiles(profiles: Profiles) -> Iterator[Entry]:
    for user, fields in profiles.items():
        yield person_entry(user, [hashed(fields[name]) for name in ADDRESSES if fields.get(name)])
