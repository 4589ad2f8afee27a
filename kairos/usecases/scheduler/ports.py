"""What the scheduler works with: people, a memory, and somewhere to tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, Protocol

from kairos.adapters.database.schedule_runs import Progress
from kairos.engine.event import Event
from kairos.engine.rule.changes.switch import Position, Switches
from kairos.engine.rule.reads.needs import Needs
from kairos.engine.schedule.runs import Run


class People(Protocol):
    """Everyone known."""

    def everyone(self, needs: Needs) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """(user, what is needed of the profile), each user once, as of now. Raises PeopleAwayError."""
        ...

    def refused_since(self, since: int) -> Set[str]:
        """Who has said no to some topic since then (epoch ms), and not yes again. Raises PeopleAwayError."""
        ...

    def count_refused_since(self, since: int) -> int:
        """How many they are. Raises PeopleAwayError."""
        ...


class Memory(Protocol):
    """`ScheduleRuns`."""

    def planned(self, activity: str) -> tuple[int, str] | None: ...
    def plan(
        self, activity: str, meaning: str, runs: Sequence[Run], until: int, now: int, state: str = "open"
    ) -> None: ...
    def open(self) -> list[Progress]: ...
    def keep(self, progress: Progress, ended_at: int | None) -> None: ...


class Switch(Protocol):
    """`ActivityStates`. Both raise RuleStoreError."""

    def read(self) -> Switches: ...
    def turn(self, activities: Sequence[str], state: Position, by: str, reason: str, now: int) -> list[str]: ...


class Outlet(Protocol):
    def tell(self, events: Sequence[Event]) -> None:
        """All are in Kafka when it returns. Raises KafkaAwayError; some may be in it then."""
        ...
