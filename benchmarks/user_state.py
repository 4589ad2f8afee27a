"""Bytes of one user's value in keyed state, as the job keeps it: `python -m benchmarks.user_state [--quick | --write]`.

The engine is driven with events of one user, and the value is what `operators/user_value.py` writes. Ids are UUIDs,
names are as long as those of the examples. What remembers ids against repetitions (`seen`) is told apart: it grows with
the events of its horizon, not with the rules.
"""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid
from benchmarks.kit.results import Result, at_most, below
from kairos.adapters.rules.files import read_folder
from kairos.engine.engine import Engine
from kairos.engine.event import Event
from kairos.engine.rule.compile import compile_release
from kairos.engine.rule.load import load
from kairos.engine.rule.release import Release
from kairos.engine.settings import Settings
from kairos.engine.user.state import UserState
from operators.user_value import UserValue

START = 1_763_778_000_000
MINUTE = 60_000
RULES = 10
USER = "user_0116"
METRICS = """\
spent_30d: {sum: amount, of: order_paid, window: 30d}
orders_30d: {count: order_created, window: 30d}
paid_last: {last: event.time, of: order_paid}
"""
ACTIVITY = """\
activity: order_unpaid_{number:02}
state: live
trigger:
  pattern:
    - {{event: order_created, as: order, where: amount >= {number} and metric.spent_30d < 100000}}
    - {{absent: order_paid}}
  within: {within}m
data: {{order: order.order_id, spent: metric.spent_30d, orders: metric.orders_30d, last: metric.paid_last}}
"""


class Kept:
    """Flink's value and map state, and its timers, of one key."""

    def __init__(self) -> None:
        self.kept: bytes | None = None
        self.apart: dict[str, bytes] = {}

    def value(self) -> bytes | None:
        return self.kept

    def update(self, value: bytes) -> None:
        self.kept = value

    def clear(self) -> None:
        self.kept = None

    def get(self, name: str) -> bytes | None:
        return self.apart.get(name)

    def put(self, name: str, part: bytes) -> None:
        self.apart[name] = part

    def remove(self, name: str) -> None:
        self.apart.pop(name, None)

    def register_event_time_timer(self, timestamp: int) -> None:
        pass


class User:
    """One user of an engine with ten rules that each of her orders touches."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._now = START
        self._numbers = iter(range(1_000_000))
        self.state = UserState()

    def order(self) -> None:
        self.happens("order_created", order_id=f"A{self._now}", amount=120, currency="CNY")

    def pays(self) -> None:
        self.happens("order_paid", amount=120)

    def happens(self, kind: str, **props: Any) -> None:
        """An event, and a minute in which it is applied."""
        name = str(uuid.UUID(int=next(self._numbers) << 64 | 0xA5, version=4))
        event = Event(name, kind, self._now, "shop", props, USER)
        self._now += MINUTE
        self._engine.on_event(USER, self.state, event, self._now - 1)

    def bytes(self, *, seen: bool = False) -> int:
        """What the job would store; without `seen`, unless asked for."""
        state = self.state if seen else msgspec.structs.replace(self.state, seen=[])
        kept = Kept()
        UserValue(kept, kept).save(state, self._engine.next_timer(USER, state), kept)
        return len(kept.kept or b"")


class Measured(msgspec.Struct):
    """Bytes. `open_first`: of each rule's first open match, `open_more`: of each further one. `match`: its parts."""

    touched: int
    open_first: float
    open_more: float
    decided: float
    seen: float
    match: dict[str, int]


def engine_of(within: int) -> Engine:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "metrics.yaml").write_text(METRICS)
        (place := folder / "activities" / "orders").mkdir(parents=True)
        for number in range(RULES):
            (place / f"order_unpaid_{number:02}.yaml").write_text(ACTIVITY.format(number=number, within=within))
        loaded = load(read_folder(folder))
    assert loaded.rules is not None, loaded.findings
    engine = Engine(settings := Settings())
    engine.adopt(compile_release(Release(1, loaded.rules), max_runs=settings.max_runs, script=engine.script))
    return engine


def measure(more: int) -> Measured:
    """`more`: events and matches that an average is of."""
    user = User(engine_of(within=10_000))
    user.order()
    user.pays()
    touched = user.bytes()
    assert not user.state.runs
    assert len(user.state.metrics) == len(METRICS.splitlines())
    user.order()
    first = user.bytes()
    seen_first = user.bytes(seen=True) - first
    assert open_matches(user.state) == RULES
    parts = match_parts(user.state)
    for _ in range(more):
        user.order()
    last = user.bytes()
    assert open_matches(user.state) == RULES * (1 + more)
    seen = user.bytes(seen=True) - last - seen_first
    return Measured(
        touched=touched,
        open_first=(first - touched) / RULES,
        open_more=(last - first) / RULES / more,
        decided=decided(),
        seen=seen / more,
        match=parts,
    )


def decided() -> float:
    """Of each match of the last day, for which nothing more is to be done."""
    user = User(engine_of(within=1))
    user.order()
    user.pays()
    assert len(user.state.cases) == RULES
    whole = user.bytes()
    user.state.cases = []
    return (whole - user.bytes()) / RULES


def open_matches(state: UserState) -> int:
    return sum(len(runs.runs) for of in state.runs.values() for runs in of.parts.values())


def match_parts(state: UserState) -> dict[str, int]:
    """What the bytes of one open match are."""
    name, of = next(iter(state.runs.items()))
    runs = next(iter(of.parts.values()))
    event = next(iter(runs.events.values()))
    parts = {"activity": name, "origin": of.origin, "run": runs.runs[0], "event id": event.id}
    parts |= {"event type": event.type, "event time": event.time, "source": event.source, "props": event.props}
    sizes = {part: len(msgspec.msgpack.encode(value)) for part, value in parts.items()}
    whole = len(msgspec.msgpack.encode(name)) + len(msgspec.msgpack.encode(of))
    return {**sizes, "frame": whole - sum(sizes.values())}


def table(measured: Measured) -> str:
    rows = [
        (f"{RULES} rules touched, none of them open, and the three metrics that they read", measured.touched),
        ("each open match, the first of its rule", f"{measured.open_first:.0f}"),
        ("each further open match of the same rule", f"{measured.open_more:.0f}"),
        ("each match decided within the last day", f"{measured.decided:.0f}"),
        ("each event remembered against repetitions", f"{measured.seen:.1f}"),
    ]
    parts = ", ".join(f"{part} {size}" for part, size in measured.match.items())
    return "\n".join([*grid(("", "bytes"), rows), "", f"An open match: {parts}."])


def results(measured: Measured) -> list[Result]:
    kept = "state of a user: bytes"
    return [
        below(f"{kept} with {RULES} touched rules, none open", measured.touched, 300),
        below(f"{kept} of an open match", measured.open_first, 120),
        at_most(f"{kept} of an event remembered against repetitions", measured.seen, 10),
    ]


def main() -> None:
    given = arguments(__doc__, more=(20, 2))
    measured = measure(given.more)
    report("user_state", given, table(measured), lambda: results(measured))


if __name__ == "__main__":
    main()
