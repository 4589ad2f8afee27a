"""A scheduler without servers: its memory in SQLite, people in a dict, what it tells in a list, and a clock to set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.database import Control
from kairos.adapters.control.tables import METADATA as CONTROL
from kairos.adapters.database.audit_log import METADATA as LOG
from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.database.schedule_runs import METADATA, ScheduleRuns
from kairos.engine.event import Event
from kairos.engine.play.simulate import as_if_live
from kairos.engine.profile.topics import has_refused
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.reads.needs import Needs
from kairos.engine.rule.release import Release
from kairos.usecases.scheduler.scheduler import Scheduler
from tests.engine_kit import BASE, DAY


class Killed(Exception):
    """In place of SIGKILL: whoever gets it does nothing more."""


def without_sync(connection: Any, _record: object) -> None:
    """No machine dies here, and a run notes thousands of steps."""
    connection.execute("PRAGMA synchronous = OFF")


class World:
    """What outlives a scheduler. `kill_at`: the call to memory or outlet at which it dies, before or `after` it."""

    def __init__(self, folder: Path, people: Mapping[str, Mapping[str, Any]], rules: RuleSet) -> None:
        self.engine = open_engine(f"sqlite:///{folder}/control.db")
        sql.event.listen(self.engine, "connect", without_sync)
        create_tables(self.engine)
        with self.engine.begin() as connection:  # a folder may be used again
            for table in (*METADATA.tables.values(), *CONTROL.tables.values(), *LOG.tables.values()):
                connection.execute(table.delete())
        self.switch = ActivityStates(Control(f"sqlite:///{folder}/control.db"))
        self.people = dict(people)
        self.release = Release(1, as_if_live(rules), BASE)
        self.told: list[Event] = []
        self.told_at: list[int] = []
        self.now = BASE
        self.calls = 0
        self.kill_at: int | None = None
        self.after = False

    def scheduler(self, **more: Any) -> Scheduler:
        memory: Any = Memory(self)
        scheduler = Scheduler(self, memory, self.switch, self, lambda: self.now, **more)
        scheduler.adopt(self.release)
        return scheduler

    def everyone(self, needs: Needs) -> Iterator[tuple[str, Mapping[str, Any]]]:
        yield from self.people.items()

    def refused_since(self, since: int) -> set[str]:
        return {user for user, profile in self.people.items() if has_refused(profile, since)}

    def count_refused_since(self, since: int) -> int:
        return len(self.refused_since(since))

    def tell(self, events: Sequence[Event]) -> None:
        """Half of them are there, where it dies while it tells."""
        self.told += events[: len(events) // 2]
        self.call(lambda: None)
        self.told += events[len(events) // 2 :]
        self.told_at += [self.now] * len(events)

    def call(self, work: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.calls == self.kill_at and not self.after:
            raise Killed
        done = work()
        if self.calls == self.kill_at:
            raise Killed
        return done


class Memory:
    """ScheduleRuns, each call of which may be the last."""

    def __init__(self, world: World) -> None:
        self._world, self._runs = world, ScheduleRuns(world.engine)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        wanted = getattr(self._runs, name)
        return lambda *given, **named: self._world.call(lambda: wanted(*given, **named))


def run_until(world: World, scheduler: Scheduler, end: int) -> None:
    """The clock moves to whatever is next, by a day at most."""
    while True:
        following = scheduler.step()
        if following is None or following > world.now:
            if world.now >= end:
                return
            world.now = min(end, world.now + DAY, following if following is not None else end)
