"""Putting a snapshot before the job, so that everybody sees it at once, and whoever is killed on the way does no harm.

    noted -> staged, a user after the other -> flipped -> told -> part of the warehouse's history

Up to the flip nobody sees anything: what a killed builder has left is taken back. From the flip on everybody sees it,
and what is missing is done by whoever comes next; what it tells has the same ids and times, so nobody hears it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import islice
from pathlib import Path

import pyarrow
import pyarrow.parquet

from kairos.adapters.crowds.port import CrowdStore, Live, Span
from kairos.adapters.warehouse.change import changing
from kairos.adapters.warehouse.crowd_files import Build, CrowdFiles, Pending
from kairos.adapters.warehouse.folder import Folder
from kairos.engine.crowd.guard import LIVE, Counts
from kairos.usecases.crowds.places import Places, Told, builds, live_build
from kairos.usecases.progress import Tell


class BeforeJob:
    """`spoken_of`: the crowds whose changes somebody listens to."""

    def __init__(
        self, places: Places, files: CrowdFiles, store: CrowdStore, spoken_of: Collection[str], spill: Path
    ) -> None:
        self._places, self._files, self._store, self._spill = places, files, store, spill
        self._spoken_of = spoken_of

    def publish(
        self, crowd: str, n: int, as_of: int, delta: Path, counts: Counts, now: Callable[[], int], tell: Tell | None
    ) -> Build:
        """`now`: epoch ms. `tell` hears how many users are staged."""
        pending = Pending(crowd, n, as_of, counts)
        self._files.note(pending, delta)
        self._store.stage(crowd, _told(self._changes(pending), tell))
        live = Live(n, now(), as_of)
        self._store.flip(crowd, live)
        return self._finish(pending, live)

    def refuse(self, build: Build) -> Build:
        return self._record(build, with_members=False)

    def settle(self, crowd: str) -> Build | None:
        """Takes back or finishes what a builder before has left, and makes store and warehouse agree.

        Gives what it finished.
        """
        finished = None
        if (pending := self._files.pending(crowd)) is not None:
            live = self._store.live().get(crowd)
            if live is not None and live.n >= pending.n:
                finished = self._finish(pending, live)
            else:
                self._store.unstage(crowd, pending.n, (user for user, _ in self._files.delta(crowd)))
                self._files.forget_pending(crowd)
        known, seen = self._known(crowd), self._store.live().get(crowd)
        if known is not None and (seen is None or seen.n < (known.n or 0)):
            self._refill(known, seen.n if seen else 0)
        elif seen is not None and (known is None or seen.n > (known.n or 0)):
            self._adopt(crowd, seen)
        return finished

    # -------------------------------------------------------------------------------------------------- one snapshot
    def _changes(self, pending: Pending) -> Iterator[Span]:
        for user, since in self._files.delta(pending.crowd):
            yield Span(user, pending.n) if since is None else Span(user, since, pending.n)

    def _finish(self, pending: Pending, live: Live) -> Build:
        crowd, counts, told = pending.crowd, pending.counts, self._places.told
        if told is not None:
            told.flipped(crowd, live, counts.size)
            if self._is_told(pending):
                self._tell(told, pending, live)
        build = Build(
            crowd, 0, pending.n, pending.as_of, live.at, counts.size, counts.added, counts.removed, LIVE
        )  # fmt: skip
        return self._record(build, with_members=True)

    def _is_told(self, pending: Pending) -> bool:
        keeping = self._places.rules.kept.get(pending.crowd)
        first = pending.n > 1 or (keeping is not None and keeping.emit_first)
        return first and pending.crowd in self._spoken_of

    def _tell(self, told: Told, pending: Pending, live: Live) -> None:
        entered = (user for user, since in self._files.delta(pending.crowd) if since is None)
        left = (user for user, since in self._files.delta(pending.crowd) if since is not None)
        told.changed(pending.crowd, live, entered, left)

    def _record(self, build: Build, *, with_members: bool) -> Build:
        with self._places.asking() as engine:
            number = max((b.number for b in builds(engine, build.crowd).get(build.crowd, ())), default=0) + 1
        numbered = Build(build.crowd, number, *(getattr(build, field) for field in Build.__struct_fields__[2:]))
        with changing(Folder(self._places.warehouse), wait=True) as change:
            self._files.commit(change, numbered, with_members=with_members)
        return numbered

    # --------------------------------------------------------------------------------- store and warehouse disagree
    def _known(self, crowd: str) -> Build | None:
        with self._places.asking() as engine:
            return live_build(builds(engine, crowd).get(crowd, ()))

    def _refill(self, known: Build, seen: int) -> None:
        """The store has been emptied, or has lost its last writes: it gets what the warehouse knows beyond them."""
        missing = "to_n IS NULL" if not seen else "(from_n > $seen OR to_n > $seen)"
        sql = f"SELECT user_id, from_n, to_n FROM crowd_members WHERE crowd = $crowd AND {missing} ORDER BY from_n"
        asked: dict[str, str | int] = {"crowd": known.crowd, **({"seen": seen} if seen else {})}
        with self._places.asking() as engine:
            rows = engine.query(sql, asked).rows
        self._store.stage(known.crowd, (Span(*row) for row in rows))
        assert known.n is not None
        self._store.flip(known.crowd, Live(known.n, known.at_ms, known.as_of_ms))

    def _adopt(self, crowd: str, seen: Live) -> None:
        """The warehouse is another one, or an older copy: it takes over the members that everybody sees."""
        spans = list(self._store.spans(crowd))
        self._store.unstage(crowd, seen.n + 1, (s.user_id for s in spans if seen.n + 1 in (s.from_n, s.to_n)))
        users = sorted(span.user_id for span in spans if span.holds(seen.n))
        file = self._spill / "adopted.parquet"
        pyarrow.parquet.write_table(pyarrow.table({"user_id": pyarrow.array(users, pyarrow.string())}), file)
        delta, counts = self._files.compare(crowd, file)
        self._files.note(Pending(crowd, seen.n, seen.as_of, counts), delta)
        build = Build(crowd, 0, seen.n, seen.as_of, seen.at, counts.size, counts.added, counts.removed, LIVE)
        self._record(build, with_members=True)


def _told(spans: Iterator[Span], tell: Tell | None) -> Iterator[Span]:
    done = 0
    while batch := list(islice(spans, 5_000)):
        yield from batch
        done += len(batch)
        if tell is not None:
            tell(done)
