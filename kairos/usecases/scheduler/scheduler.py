"""The scheduler: plans the runs that have come, and tells each user's turn when it is due, never before.

Whatever it is killed at, it goes on there: a run is noted before anything of it is told, and how far it has got after
that. So some may be told twice, under the same id, which is one event to the job and one message to the ledger.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from zoneinfo import ZoneInfo

import msgspec

from kairos.adapters.database.schedule_runs import Progress
from kairos.engine.event import Event
from kairos.engine.rule.changes.switch import Switches
from kairos.engine.rule.model import Activity, RuleSet, Schedule
from kairos.engine.rule.reads.needs import Needs
from kairos.engine.rule.release import Release
from kairos.engine.schedule.due import due_event
from kairos.engine.schedule.looking import is_sweep, look_event, looks, sweep_of
from kairos.engine.schedule.pace import ALL_AT_ONCE, Turn, in_order, turns
from kairos.engine.schedule.people import member
from kairos.engine.schedule.played import ON_TIME
from kairos.engine.schedule.runs import Run, concerns, runs_between
from kairos.usecases.scheduler.needs import needs_of
from kairos.usecases.scheduler.ports import Memory, Outlet, People, Switch
from kairos.usecases.scheduler.stopping import Brake, Nothing, Receipts

DAY = 86_400_000
BATCH = 5_000
"""Events that are told together, and then noted."""
PUNCTUAL = 1_000
"""An event that is told so soon (ms) after its turn has the turn's time; a later one the clock's, for the job would
take it for late."""


@dataclass
class Coming:
    """The runs of a schedule that come next; all up to `until` (epoch ms)."""

    schedule: Schedule
    until: int
    runs: list[Run]


@dataclass
class Underway:
    """A run while it lasts: who is still to come, so long after its `start` (epoch ms)."""

    progress: Progress
    activity: str
    start: int
    waiting: Iterator[Turn]
    due: deque[Turn] = field(default_factory=deque)  # at most one: the turn that is next

    def next_turn(self) -> Turn | None:
        if not self.due:
            self.due.extend(islice(self.waiting, 1))
        return self.due[0] if self.due else None


class Scheduler:
    """One step after another, each of bounded length but for the reading of people. `clock`: epoch ms."""

    def __init__(
        self,
        people: People,
        memory: Memory,
        switch: Switch,
        outlet: Outlet,
        clock: Callable[[], int],
        receipts: Receipts | None = None,
        said: Callable[[str], object] = lambda _text: None,
    ) -> None:
        """`said` hears of each run that is over, and of each that was stopped."""
        self._people = people
        self._memory = memory
        self._switch, self._switches = switch, Switches()
        self._outlet = outlet
        self._clock = clock
        self._brake = Brake(people, receipts or Nothing(), clock)
        self._said = said
        self._rules = RuleSet()
        self._since = 0
        self._sweep: Run | None = None
        self._coming: dict[str, Coming] = {}
        self._underway: dict[Run, Underway] = {}

    def adopt(self, release: Release) -> None:
        """What is scheduled from now on. A release that does not say when it was made is of now."""
        self._rules, self._since = release.rules, release.effective_at or self._clock()
        self._sweep = sweep_of(release)

    def step(self) -> int | None:
        """Does what is due. When (epoch ms) to call it again at the latest; 0: at once, None: nothing is planned.

        Raises what people, memory and outlet raise; the next step goes on where this one stopped.
        """
        self._switches = self._switch.read()
        self._plan()
        self._take_up()
        for run in self._underway.values():
            self._stop_where_it_must(run)
        times = [self._advance_safely(run) for run in [*self._underway.values()]]
        times += [coming.runs[0].at if coming.runs else coming.until for coming in self._coming.values()]
        return min(times, default=None)

    # --------------------------------------------------------------------------------------------------- planning
    def _plan(self) -> None:
        now, scheduled = self._clock(), self._scheduled()
        if self._sweep is not None:
            if self._memory.planned(self._sweep.activity) is None:
                self._memory.plan(self._sweep.activity, "", [self._sweep], now, now)
            self._sweep = None
        self._coming = {name: coming for name, coming in self._coming.items() if name in scheduled}
        for name, (activity, schedule) in scheduled.items():
            coming = self._coming.get(name)
            if coming is None or coming.schedule != schedule or coming.until <= now:
                coming = self._coming[name] = self._look_ahead(activity, schedule, now)
            due = [run for run in coming.runs if run.at <= now]
            if due:
                self._memory.plan(name, meaning_of(schedule), due, now, now)
                del coming.runs[: len(due)]

    def _scheduled(self) -> dict[str, tuple[Activity, Schedule]]:
        now, states = self._clock(), self._switches
        found = (a for a in self._rules.activities.values() if states.state_of(a, now) in ON_TIME)
        return {a.name: (a, a.schedule) for a in found if a.schedule is not None}

    def _look_ahead(self, activity: Activity, schedule: Schedule, now: int) -> Coming:
        """The runs of a day, from where the memory ends; of a schedule that is new, from when it was published."""
        name, zone, meaning = activity.name, ZoneInfo(self._rules.policy.timezone), meaning_of(schedule)
        known = self._memory.planned(name)
        after = known[0] if known is not None else 0
        if known is None or known[1] != meaning:
            after = max(after, min(self._since, now), now - (activity.pace or ALL_AT_ONCE).until)
            past = runs_between(name, schedule, zone, after - 2 * DAY, after) if schedule.kind == "at" else []
            self._memory.plan(name, meaning, past, after, now, "open" if schedule.late == "now" else "skipped")
        return Coming(schedule, now + DAY, runs_between(name, schedule, zone, after, now + DAY))

    # ---------------------------------------------------------------------------------------------------- telling
    def _take_up(self) -> None:
        """Takes up the runs that the memory has open and that are not under way here."""
        for progress in self._memory.open():
            run = progress.run
            if run in self._underway:
                continue
            if is_sweep(run):
                self._underway[run] = Underway(progress, run.activity, progress.begun_at, self._looks(progress))
                continue
            activity = self._rules.activities.get(run.activity)
            if activity is None or activity.schedule is None:
                self._memory.keep(progress, self._clock())  # it is no more
            else:
                start = progress.begun_at if activity.schedule.late == "now" else run.at
                self._underway[run] = Underway(progress, activity.name, start, self._turns(progress, activity, start))

    def _turns(self, progress: Progress, activity: Activity, start: int) -> Iterator[Turn]:
        """From where it has got; what was late to begin keeps its pace from then on."""
        run, pace = progress.run, activity.pace or ALL_AT_ONCE
        placed = in_order(self._concerned(run, activity), run.activity, run.slot)
        first = next((turn for turn in turns(pace, placed) if turn.place >= progress.place), None)
        late = 0 if first is None else max(0, self._clock() - start - first.after)
        delayed = turns(pace, placed, late if pace.rate or late > PUNCTUAL else 0)
        return (turn for turn in delayed if turn.place >= progress.place)

    def _looks(self, progress: Progress) -> Iterator[Turn]:
        everyone = (user for user, _ in self._people.everyone(Needs(frozenset())))
        return (turn for turn in looks(progress.run, everyone) if turn.place >= progress.place)

    def _concerned(self, run: Run, activity: Activity) -> Iterator[str]:
        schedule = activity.schedule
        assert schedule is not None
        asked = member(schedule.crowd, self._rules)
        is_of_run = concerns(run, schedule, ZoneInfo(self._rules.policy.timezone))
        for user, profile in self._people.everyone(needs_of(schedule, self._rules)):
            if is_of_run(profile) and asked(user, profile, run.at):
                yield user

    def _stop_where_it_must(self, underway: Underway) -> None:
        """What its receipts say may pause the activity: nothing of it goes any more, until somebody says so."""
        progress, name, now = underway.progress, underway.activity, self._clock()
        activity = self._rules.activities.get(name)
        if activity is None or self._switches.at(name, now) != "live":
            return
        why = self._brake.why(progress.run, progress.begun_at, progress.told, activity)
        if why is not None:
            self._switch.turn([name], "paused", "scheduler", why, now)
            self._switches = self._switch.read()
            self._said(f"{name} is paused: {why}. `kairos resume {name}` lets it go on")

    def _advance_safely(self, underway: Underway) -> int:
        """Advances a run. After a failure it is taken up again from the memory, which forgets nobody."""
        try:
            return self._advance(underway)
        except Exception:
            self._underway.pop(underway.progress.run, None)
            raise

    def _advance(self, underway: Underway) -> int:
        """Tells a batch of what is due, and returns when the next one is."""
        progress, start, now = underway.progress, underway.start, self._clock()
        batch: list[Turn] = []
        while len(batch) < BATCH and (turn := underway.next_turn()) and start + turn.after <= now:
            batch.append(underway.due.popleft())
        if batch:
            self._outlet.tell([self._event(progress.run, turn, start + turn.after, now) for turn in batch])
            progress.told += len(batch)
            progress.expired += sum(turn.expired for turn in batch)
        following = underway.next_turn()
        if following is not None:
            progress.place = following.place
        else:
            del self._underway[progress.run]
        if batch or following is None:
            self._memory.keep(progress, None if following is not None else now)
        if following is None:
            told = f"told {progress.told:,} users, {progress.expired:,} of them too late"
            self._said(f"{progress.run.activity} {progress.run.slot}: {told}")
        return start + following.after if following is not None else now

    def _event(self, run: Run, turn: Turn, planned: int, now: int) -> Event:
        """Once the switch stands otherwise than it did at the planned time, it has the time of the clock."""
        at = planned if now - planned <= PUNCTUAL and self._stood(run.activity, planned, now) else now
        if is_sweep(run):
            return look_event(run, turn.user_id, at)
        return due_event(run.activity, run.slot, turn.user_id, at, "expired" if turn.expired else None)

    def _stood(self, activity: str, planned: int, now: int) -> bool:
        return self._switches.at(activity, planned) == self._switches.at(activity, now)


def meaning_of(schedule: Schedule) -> str:
    """A digest of what it says."""
    return hashlib.blake2b(msgspec.json.encode(schedule), digest_size=8).hexdigest()
