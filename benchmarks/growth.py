"""What an event costs one user of whom more and more is kept: `python -m benchmarks.growth [--quick | --write]`.

One workload with one parameter, what grows. The state is read from bytes and written to bytes around each event, as in
the job; the rules of what grows stand beside one rule that the event touches. Processor time, best of several rounds.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid, machine
from benchmarks.user_state import Kept
from kairos.adapters.rules.files import read_folder
from kairos.engine.engine import Engine
from kairos.engine.event import Event
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.load import load
from kairos.engine.rule.release import Release
from kairos.engine.settings import Settings
from kairos.engine.user.remembered import remember
from kairos.engine.user.seen import mark_of
from kairos.engine.user.state import UserState
from operators.user_value import UserValue

START = 1_763_778_000_000
SECOND = 1_000
DAY = 86_400_000
USER = "user_0116"
SIZES = (10, 100, 1_000, 10_000)
ROUNDS, EVENTS = 25, 4
Growing = Callable[[int], Callable[[], None]]
"""How much there is -> one more event."""
RULE = """\
activity: rule_{number:05}
state: live
trigger:
  pattern:
    - {{event: {kind}, as: first, where: amount > {number}}}
    - {{absent: paid}}
  within: 10d
data: {{amount: first.amount}}
"""
SOLD = """\
activity: sold
state: live
trigger: {event: bought}
data: {item: item}
send: [{channel: in_app, template: note}]
"""
LEFT = """\
activity: left
state: live
trigger:
  per: item
  pattern: [{event: added, as: added}, {absent: paid}]
  within: 1h
limits: {quiet_hours: ignore}
data: {item: added.item}
send: [{channel: in_app, template: note}]
"""
NIGHT = '{from: "00:00", to: "08:00"}'
GOAL = "goal: {event: paid, within: 1d}\n"
NOTE = "templates/note.in_app.liquid"
COUNTED = "kinds_seen: {distinct: item, of: seen, window: 30d}\n"


class User:
    """One user of an engine with these rules, a state in bytes between two events, as the job keeps it."""

    def __init__(self, kinds: list[str], further: Mapping[str, str] = MappingProxyType({})) -> None:
        """A rule on each of the kinds. `further`: path -> what else stands in the folder of rules."""
        numbered = enumerate(kinds)
        files = {f"activities/t/rule_{n:05}.yaml": RULE.format(number=n, kind=kind) for n, kind in numbered}
        with tempfile.TemporaryDirectory() as name:
            for path, text in {**files, **further}.items():
                (place := Path(name, path)).parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
            loaded = load(read_folder(Path(name)))
        assert loaded.rules is not None, loaded.findings
        self._engine = Engine(settings := Settings())
        release = Release(1, loaded.rules)
        self._engine.adopt(compile_release(release, max_runs=settings.max_runs, script=self._engine.script))
        self._number, self.now = 0, START
        self.keyed = Kept()
        self._value = UserValue(self.keyed, self.keyed)

    def happens(self, kind: str, behind: int = 1, late: int = 0, **props: object) -> None:
        """An event, with the watermark so many ms before it; or one that comes so late (ms)."""
        self.now += SECOND
        self._number += 1
        event = Event(f"event-{self._number}", kind, self.now - late, "shop", dict(props), USER)
        state = self._value.load()
        self._engine.on_event(USER, state, event, self.now - behind)
        self._save(state)

    def passes(self, time: int) -> int:
        """So many ms without an event; how much comes of it."""
        self.now += time
        state = self._value.load()
        effects = self._engine.on_time(USER, state, self.now)
        self._save(state)
        return len(effects)

    def remembers(self, count: int) -> None:
        """So many events more, of which nothing else is kept."""
        state = self._value.load()
        for number in range(count):
            remember(state, mark_of(Event(f"before-{number}", "viewed", self.now, "shop", {}, USER)), self.now)
        self._save(state)

    def _save(self, state: UserState) -> None:
        self._value.save(state, self._engine.next_timer(USER, state), self.keyed)


def rules_that_do_not_hold(size: int) -> Callable[[], None]:
    user = User(["viewed"] * size)
    return lambda: user.happens("viewed", amount=-1)


def open_matches_of_others(size: int, late: int = 0) -> Callable[[], None]:
    kinds = [f"other_{number}" for number in range(size)]
    user = User([*kinds, "viewed"])
    for kind in kinds:
        user.happens(kind, amount=1_000_000)
    return lambda: user.happens("viewed", late=late, amount=-1)


def open_matches_and_a_late_event(size: int) -> Callable[[], None]:
    return open_matches_of_others(size, late=5 * SECOND)


def events_in_the_tail(size: int) -> Callable[[], None]:
    user, late = User(["viewed"]), 10 * SIZES[-1] * SECOND
    for _ in range(size):
        user.happens("viewed", late, amount=-1)
    return lambda: user.happens("viewed", late, amount=-1)


def repetitions_remembered(size: int) -> Callable[[], None]:
    user = User(["viewed"])
    for _ in range(size):
        user.happens("viewed", amount=-1)
    return lambda: user.happens("viewed", amount=-1)


def distinct_values(size: int) -> Callable[[], None]:
    user = User(["viewed"], {"metrics.yaml": COUNTED})
    for number in range(size):
        user.happens("seen", item=f"item-{number}")
    return lambda: user.happens("seen", item="item-0")


def metrics_of_others(size: int) -> Callable[[], None]:
    metrics = "".join(f"m{number}: {{count: other_{number}, window: 30d}}\n" for number in range(size))
    user = User(["viewed"], {"metrics.yaml": metrics})
    for number in range(size):
        user.happens(f"other_{number}")
    return lambda: user.happens("viewed", amount=-1)


def decided_cases(kind: str) -> Growing:
    """Messages of a day; the events to come are of this kind."""

    def made(size: int) -> Callable[[], None]:
        user = User(["viewed"], {"activities/t/sold.yaml": SOLD + GOAL, NOTE: "{{ item }}\n"})
        for number in range(size):
            user.happens("bought", item=f"item-{number}")
        user.happens("viewed", amount=-1)
        return lambda: user.happens(kind, amount=-1, item="item")

    return made


def users_on_lists(size: int) -> Callable[[], None]:
    users = ", ".join(f"user_{number:05}" for number in range(1_000, 1_000 + size))
    policy = f"lists: {{black: [{users}], white: [{users}]}}\n"
    user = User(["viewed"], {"activities/t/sold.yaml": SOLD, NOTE: "{{ item }}\n", "policy.yaml": policy})
    nothing = user.keyed.kept

    def decision() -> None:
        user.keyed.kept = nothing
        user.happens("bought", behind=0, item="item")

    return decision


def due_at_once(rule: str, kind: str, apart: int = 0) -> Growing:
    """So many of one user, `apart` (ms) of each other, by one call when the time of all has come."""

    def made(size: int) -> Callable[[], None]:
        policy = f"timezone: UTC\nquiet_hours: {NIGHT}\n"
        user = User(["viewed"], {"activities/t/rule.yaml": rule, NOTE: "{{ item }}\n", "policy.yaml": policy})
        for number in range(size):
            user.now += apart - SECOND
            user.happens(kind, item=f"item-{number}")
        user.happens("viewed", amount=-1)
        waiting, now = user.keyed.kept, user.now

        def come_due() -> None:
            user.keyed.kept, user.now = waiting, now
            assert user.passes(DAY) == size

        return come_due

    return made


GROWING: Mapping[str, Growing] = {
    "rules on one type that do not hold": rules_that_do_not_hold,
    "open matches of other types": open_matches_of_others,
    "the same, and the event is late": open_matches_and_a_late_event,
    "metrics of other types": metrics_of_others,
    "events in the tail": events_in_the_tail,
    "repetitions remembered": repetitions_remembered,
    "distinct values of a metric": distinct_values,
    "decided cases, an event of another type": decided_cases("viewed"),
    "decided cases, an event that meets their goal": decided_cases("paid"),
    "decided cases, one more": decided_cases("bought"),
    "users on the black and the white list, a decision": users_on_lists,
}


DUE: Mapping[str, Growing] = {
    "values of `per` due at once, each": due_at_once(LEFT, "added"),
    "values of `per` due one after the other, in one call, each": due_at_once(LEFT, "added", SECOND),
    "holds of one user released at once, each": due_at_once(SOLD, "bought"),
}


def cost(event: Callable[[], None], events: int = EVENTS) -> float:
    """Microseconds of the processor for one event."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time_ns()
        for _ in range(events):
            event()
        rounds.append((time.process_time_ns() - began) / events / 1_000)
    return min(rounds)


def many_remembered(count: int) -> str:
    """An event of a user of whom so many are remembered, and the one at which it is looked for what has lapsed."""
    few, user = cost(repetitions_remembered(SIZES[0])), User(["viewed"])
    user.happens("viewed", amount=-1)
    user.remembers(count)
    times = cost(lambda: user.happens("viewed", amount=-1)) / few
    user.now += 2 * DAY
    began = time.process_time_ns()
    user.happens("viewed", amount=-1)
    swept = (time.process_time_ns() - began) / 1e6
    return (
        f"With {count:,} repetitions remembered an event costs {times:.1f}x of what it costs with {SIZES[0]}; "
        f"the one at which it is looked for what has lapsed, {swept:.0f} ms."
    )


def table(most: int) -> str:
    sizes = [size for size in SIZES if size <= most]
    rows = []
    for name, made in GROWING.items():
        rows.append(_row(name, [cost(made(size)) for size in sizes]))
    for name, made in DUE.items():
        rows.append(_row(name, [cost(made(size), 1) / size for size in sizes]))
    head = ("what grows", f"{sizes[0]}, µs", *(f"{size:,}" for size in sizes[1:]))
    return "\n".join([f"{machine()}", "", *grid(head, rows), "", many_remembered(100 * most)])


def _row(name: str, costs: list[float]) -> list[str]:
    return [name, f"{costs[0]:.0f}", *(f"{each / costs[0]:.1f}x" for each in costs[1:])]


def main() -> None:
    given = arguments(__doc__, most=(1_000, 100))
    report("growth", given, table(given.most))


if __name__ == "__main__":
    main()
