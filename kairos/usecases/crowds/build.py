"""Building crowds: who is in each, whether that may be believed, and before the job with it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from kairos.adapters.warehouse.crowd_files import Build, CrowdFiles
from kairos.adapters.warehouse.folder import Folder
from kairos.engine.crowd.guard import Counts, Waivers, is_stale, refusal
from kairos.engine.crowd.spec import Members, parts_of
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.reads.spoken_of import crowds_spoken_of
from kairos.usecases.control.deeds import write_people
from kairos.usecases.control.rights import Actor
from kairos.usecases.crowds.before_job import BeforeJob
from kairos.usecases.crowds.compute import NOT_COMPUTED, compute
from kairos.usecases.crowds.past import newest_event
from kairos.usecases.crowds.places import Places, builds, live_build
from kairos.usecases.errors import AskError
from kairos.usecases.people.lookalike import Alike
from kairos.usecases.people.score_store import keep_alike
from kairos.usecases.progress import Progress, silent

NOTHING_ALLOWED = Waivers()


def build_crowds(
    places: Places, names: Sequence[str], as_of: int | None, now: Callable[[], int], waivers: Waivers = NOTHING_ALLOWED,
    progress: Progress = silent, actor: Actor | None = None,
) -> Iterator[Build]:  # fmt: skip
    """One row a crowd, as they are done; without names all that the warehouse computes. What a crowd is made of comes
    before it. `as_of`: epoch ms, None: now. `actor`: who wants it; None: they are due, and nobody has to be asked.
    Raises NotAllowedError, NotThereError, AskError, WarehouseError, CrowdStoreError and RuleStoreError; what goes wrong
    in one crowd is its status."""
    for name in names:
        if isinstance(crowd := places.kept(name), Members) and crowd.users is None:
            raise AskError(f"the crowd '{name}' is kept by hand: kairos crowds import {name} FILE.csv")
    wanted = in_order(places.rules, names or computed(places.rules))
    if actor is not None:
        for name in wanted:
            write_people(places.log, actor, "build_crowd", f"crowd/{name}", now())
    with Building(places, now) as building:
        for name in wanted:
            yield building.build(name, as_of if as_of is not None else now(), waivers, progress)


def computed(rules: RuleSet) -> list[str]:
    """The kept crowds that are not kept by hand."""
    return [name for name, keeping in sorted(rules.kept.items()) if keeping.refresh is not None]


def in_order(rules: RuleSet, names: Iterable[str]) -> list[str]:
    """What a crowd is made of comes before it."""
    ordered: dict[str, None] = {}

    def visit(name: str, wanted: set[str]) -> None:
        if name in ordered or name not in rules.crowds:
            return
        waiting = list(parts_of(rules.crowds[name]))
        while waiting:
            part = waiting.pop()
            if isinstance(part, str):
                visit(part, wanted)
            else:
                waiting += parts_of(part)
        if name in wanted:
            ordered[name] = None

    chosen = dict.fromkeys(names)
    for name in chosen:
        visit(name, set(chosen))
    return list(ordered)


class Building:
    """For as long as it is open no other process builds crowds of this warehouse."""

    def __init__(self, places: Places, now: Callable[[], int]) -> None:
        self._places, self._now = places, now
        self._spill = Path(tempfile.mkdtemp(prefix="kairos-crowds-"))
        self._files: CrowdFiles | None = None

    def __enter__(self) -> Building:
        try:
            self._files = CrowdFiles(Folder(self._places.warehouse), self._spill)
            self._store = self._places.open_store()
        except BaseException:
            self.__exit__()
            raise
        self._before = BeforeJob(
            self._places, self._files, self._store, crowds_spoken_of(self._places.rules), self._spill
        )
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_store"):
            self._store.close()
        if self._files is not None:
            self._files.close()
        shutil.rmtree(self._spill, ignore_errors=True)

    def build(self, name: str, as_of: int, waivers: Waivers, progress: Progress = silent) -> Build:
        finished = self._before.settle(name)
        if finished is not None and finished.as_of_ms == as_of:
            return finished
        try:
            with progress(f"computing {name}", None):
                members, stale, alike = self._computed(name, as_of)
        except NOT_COMPUTED as error:
            return self._refused(name, as_of, Counts(0, 0, 0, 0), f"failed: {error}")
        built = self.put(name, members, as_of, waivers, stale=stale, progress=progress)
        if alike and built.n is not None:
            keep_alike(self._places.warehouse, name, alike, as_of)
        return built

    def put(
        self, name: str, members: Path, as_of: int, waivers: Waivers, *, stale: bool, progress: Progress = silent
    ) -> Build:
        """Puts members before the job as the next snapshot. `members`: Parquet with a column user_id, each once."""
        assert self._files is not None
        delta, counts = self._files.compare(name, members)
        if (status := refusal(counts, waivers, stale=stale)) is not None:
            return self._refused(name, as_of, counts, status)
        with progress(f"writing {name}", counts.added + counts.removed) as tell:
            return self._before.publish(name, self._next(name), as_of, delta, counts, self._now, tell)

    def settle(self, name: str) -> None:
        self._before.settle(name)

    @property
    def spill(self) -> Path:
        return self._spill

    def _computed(self, name: str, as_of: int) -> tuple[Path, bool, list[Alike]]:
        """(its members, whether what it was asked of is too old, of a lookalike: how much they are alike and why)."""
        places, rules = self._places, self._places.rules
        with places.asking(places.engine) as engine:
            found = compute(engine, places, name, as_of)
            stale = is_stale(as_of, newest_event(engine), rules.kept[name].refresh)
            shutil.move(found.members, self._spill / "members.parquet")
        return self._spill / "members.parquet", stale, found.alike

    def _next(self, name: str) -> int:
        with self._places.asking() as engine:
            before = live_build(builds(engine, name).get(name, ()))
        return (before.n or 0) + 1 if before is not None else 1

    def _refused(self, name: str, as_of: int, counts: Counts, status: str) -> Build:
        build = Build(name, 0, None, as_of, self._now(), counts.size, counts.added, counts.removed, status)
        return self._before.refuse(build)
