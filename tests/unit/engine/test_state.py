"""A user's state: its encoding, and what bounds it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.engine.effect import Candidate
from kairos.engine.event import Event
from kairos.engine.pattern.runs import Kept, Run, Runs
from kairos.engine.profile.topics import Word
from kairos.engine.rule.changes.origin import origin_of
from kairos.engine.settings import Settings
from kairos.engine.user.case import Case, Told
from kairos.engine.user.cases import every
from kairos.engine.user.codec import StateCodec, StateVersionError
from kairos.engine.user.drawers import FEW
from kairos.engine.user.journey_run import JourneyRun
from kairos.engine.user.repeats import is_repeated
from kairos.engine.user.seen import add, mark_before, mark_of
from kairos.engine.user.state import STATE_VERSION, ActivityRuns, Reservation, SeenBlock, Slots, UserState
from kairos.engine.user.tail import MOST, insert
from tests.engine_kit import BASE, DAY, HOUR, engine_of, event, events, rules
from tests.unit.engine.live_user import user

GOLDEN = Path(__file__).parent / "golden"
SEND = "send: [{channel: sms, template: t}]\n"


def full_state(version: int = STATE_VERSION) -> UserState:
    """Every field of every part that this version had holds something."""
    seq = 2 if version > 3 else 0
    taken = Event("e1", "order", BASE, "shop", {"n": 1.5, "tags": ["x", None]}, seq=seq)
    kept = Kept("e1" if version < 3 else bytes(16), "order", BASE, "shop", taken.props, seq)
    seen = list[bytes]()
    add(seen, mark_of(taken) if version > 3 else mark_before(taken), BASE)
    case = Case(
        activity="a", version="0123456789abcdef", occurrence="fedcba9876543210", part="so1", matched_at=BASE + 1,
        steps={"order": [taken]}, attempt=1, entry=0, channel="sms", held_until=BASE + 2, held_for="cap:m",
        give_up=BASE + 3, sent_at=BASE + 4, fallback_at=BASE + 5, counted_from=BASE + 6, receipt="sent", control=False,
        goal_met=True, reached=True, keep_until=BASE + 7, once_was=BASE - 1, closed=True, freed=True, undone=True,
        priors={"orders": 3}, told=[Told(1, "sms", None, {"n": 2}, 3)] if version > 4 else [],
        collected="offers" if version > 8 else "", spent=250_000 if version > 8 else 0,
    )  # fmt: skip
    return UserState(
        applied_until=BASE,
        due=BASE + 8,
        tail=[Event("e2", "pay", BASE + 9, "", {"amount": 7}, merged=version > 1, seq=seq)],
        seen=seen if version > 3 else [],
        metrics={"orders@00000000": {0: 3, 1: [2, 1]}},
        runs={
            "a": ActivityRuns(
                origin_of("0123456789abcdef", "8899aabbccddeeff"),
                {"so1": Runs(2, [Run(1, (0, 3) if version < 4 else (0, -2, 3))], [(0,)], {0: kept}, 4)},
            )
        },
        cases=[case],
        reservations=[Reservation(BASE, "fedcba9876543210", "sms", ("m",), "a" if version > 8 else "")],
        once={"a": BASE},
        sweep_at=BASE + 10,
        timer=BASE + 11 if version > 2 else 0,
        seen_before=seen if version < 4 else [bytes(20)],
        gained=4_000 if version > 3 else 0,
        waits_since=BASE + 12 if version > 3 else 0,
        waits_until=BASE + 13 if version > 3 else 0,
        journeys={"welcome": {"so1": _journey_run(kept)}} if version > 5 else {},
        consents={"news": Word(False, BASE + 16)} if version > 6 else {},
        crowds={"warm": True} if version > 7 else {},
        crowds_until=BASE + 17 if version > 7 else 0,
        shadow=UserState(applied_until=BASE + 18, due=BASE + 19, once={"a": BASE}) if version > 8 else None,
        matching={"offers": Slots(BASE + 18, [BASE - 2, BASE - 1])} if version > 8 else {},
    )


def packed_state() -> UserState:
    """So much under metrics and runs that it is packed, and of the shadow, too; of tail, cases and events seen."""
    state = full_state()
    (cells,), (runs_of,) = state.metrics.values(), state.runs.values()
    assert state.shadow is not None
    state.metrics = {f"orders@{number:08}": cells for number in range(FEW + 1)}
    state.runs = {f"a{number}": runs_of for number in range(FEW + 1)}
    state.shadow.runs = dict(state.runs)
    state.cases = state.cases * (FEW + 1)
    state.seen_blocks = [SeenBlock(BASE, 1, memoryview(bytes(20)))]
    for number in range(MOST):
        insert(state, Event(f"e{number + 3}", "pay", BASE + 10 + number, "", {}))
    return state


def _journey_run(taken: Kept) -> JourneyRun:
    known = {"progress": {"hello": 2}, "steps": {"order": [taken]}, "control": True, "goal_met": True}
    return JourneyRun(bytes(8), "fedcba9876543210", BASE, "hello+1", BASE + 14, BASE + 15, **known)


@pytest.mark.parametrize("make", [full_state, packed_state])
def test_encoding_keeps_everything(make: Callable[[], UserState]) -> None:
    codec = StateCodec()
    assert _plain(codec.decode(codec.encode(make()))) == _plain(make())
    assert _plain(codec.decode(codec.encode(UserState()))) == _plain(UserState())


@pytest.mark.parametrize("version", range(1, STATE_VERSION + 1))
def test_a_value_of_each_version_is_read(version: int) -> None:
    """A file is never written again: state of its version lies in savepoints. A new version adds a file of its own."""
    value = (GOLDEN / f"state_v{version}.msgpack").read_bytes()
    assert msgspec.msgpack.decode(value)[0] == version
    assert _plain(StateCodec().decode(value)) == _plain(full_state(version))


def test_this_version_is_written_as_it_always_was() -> None:
    assert StateCodec().encode(full_state()) == (GOLDEN / f"state_v{STATE_VERSION}.msgpack").read_bytes()
    assert StateCodec().encode(packed_state()) == (GOLDEN / f"state_v{STATE_VERSION}_packed.msgpack").read_bytes()


def test_what_this_version_packed_is_read() -> None:
    value = (GOLDEN / f"state_v{STATE_VERSION}_packed.msgpack").read_bytes()
    assert _plain(StateCodec().decode(value)) == _plain(packed_state())


def test_what_no_decoder_would_read_back_is_not_written() -> None:
    state = UserState()
    state.metrics["orders@00000000"] = object()
    with pytest.raises(TypeError, match="object"):
        StateCodec().encode(state)


@pytest.mark.parametrize("value", [b"", b"\x93\x0b\x00\x00", b"\xc1", b"\x92\x01\xa1x"])
def test_what_cannot_be_read_says_so(value: bytes) -> None:
    with pytest.raises(StateVersionError, match="user state"):
        StateCodec().decode(value)


def test_a_newer_version_is_refused_by_number() -> None:
    newer = msgspec.msgpack.encode(
        [11, 0, 0, [], [], {}, {}, [], [], {}, 0, 0, [], 0, 0, 0, {}, {}, {}, 0, None, {}, None, None, [], [], [], 1]
    )
    with pytest.raises(StateVersionError, match="version 11"):
        StateCodec().decode(newer)


def _plain(state: UserState) -> object:
    """Read through drawers and batches: how they are packed does not matter."""
    plain: dict[str, Any] = {}
    for name in UserState.__struct_fields__:
        value = every(state) if name == "cases" else getattr(state, name)
        if not name.startswith("packed"):
            plain[name] = _plain(value) if isinstance(value, UserState) else msgspec.to_builtins(value, enc_hook=dict)
    return plain


# ----------------------------------------------------------------------------------------------------------- bounds


BOUNDED = [
    ("{event: order}", "", "timezone: UTC\n"),
    ("{count: order, times: 3, within: 7d}", "", "timezone: UTC\n"),
    ("{pattern: [{event: order}, {absent: pay}], within: 2d}", SEND, "timezone: UTC\n"),
    ("{event: order}", SEND + "goal: {event: pay, within: 5d}\n", "timezone: UTC\n"),
    ("{event: order}", SEND + "limits: {once: 3d}\n", "timezone: UTC\n"),
    ("{event: order}", SEND, "default_caps: [m]\ncaps: {m: {rules: [{max: 3, per: 7d, window: calendar}]}}\n"),
    ("{event: order}", SEND, "dedup: 10d\n"),
    ("{event: order, per: n, where: metric.by_n >= 1}", "", "timezone: UTC\n"),
]


@pytest.mark.parametrize(("trigger", "extra", "policy"), BOUNDED)
def test_a_silent_user_leaves_nothing_behind_and_the_chain_of_timers_ends(
    trigger: str, extra: str, policy: str
) -> None:
    text = f"activity: a\ntrigger: {trigger}\n{extra}"
    metrics = "by_n: {count: order, per: n, window: 6d}\nall: {sum: n, of: order, window: 1h}\n"
    engine, state, timers = engine_of(rules(text, policy=policy, metrics=metrics)), UserState(), 0
    for one in events("0s order n=1", "1h order n=2", "26h order n=3"):
        engine.on_event("u1", state, one, one.time)
    while (timer := engine.next_timer("u1", state)) is not None:
        engine.on_time("u1", state, timer)
        timers += 1
    assert state.empty
    assert timers < 12


def test_at_most_so_many_runs_and_what_is_not_kept_is_counted() -> None:
    text = "activity: a\ntrigger: {pattern: [{event: order}, {event: pay}], within: 30d}\n"
    rule_set = rules(text)
    engine = engine_of(rule_set, settings=Settings(max_runs=1_000))
    state = UserState()
    for number in range(1_002):
        one = event(f"{number}s order", number)
        engine.on_event("u1", state, one, one.time)
    assert engine.counters["runs_dropped"] == 2
    assert sum(len(runs.runs) for runs in state.runs["a"].parts.values()) == 1_000


def test_hostile_numbers_and_profiles_are_only_data() -> None:
    text = "activity: a\ntrigger: {event: order, per: n}\ndata: {s: metric.total}\n" + SEND
    rule_set = rules(text, metrics="total: {sum: n, of: order}\nkinds: {distinct: n, of: order}\n")
    profile = {"phone": 7, "timezone": "../etc", "unsubscribed": 3, "lists": {"black": 1}, "crowds": 1.5}
    engine, state, codec = engine_of(rule_set, {"u1": profile}), UserState(), StateCodec()
    for place, number in enumerate(
        ["1e308", "1e308", "9223372036854775807", "-1e308", "18446744073709551616.0", "[[]]", "{}"]
    ):
        effects = engine.on_event("u1", state, event(f"{place}s order n={number}", place), BASE + HOUR)
        msgspec.json.encode([effect.record for effect in effects if isinstance(effect, Candidate)])
        state = codec.decode(codec.encode(state))
    assert state.applied_until == BASE + 6_000


def test_one_id_for_two_types_is_two_events() -> None:
    u = user("activity: a\ntrigger: {pattern: [{event: order}, {event: pay}], within: 1h}\n")
    assert u.take("1m order id=A-17", "1m", 1) == []
    assert u.take("2m pay id=A-17", "2m", 2) == ["2m a match"]
    assert u.take("2m pay id=A-17", "2m", 2) == []
    assert u.engine.counters["duplicate"] == 1


@pytest.mark.parametrize(("days", "told"), [(0, 1), (2, 0)])
def test_what_an_older_version_took_is_still_a_repetition_within_the_horizon(days: int, told: int) -> None:
    """Under the hash of that version, whatever the event's type."""
    engine, value = engine_of(rules("activity: a\ntrigger: {event: order}\n")), GOLDEN / "state_v3.msgpack"
    state = StateCodec().decode(value.read_bytes())
    again = Event("e1", "order", BASE + days * DAY, "shop", {})
    counters: Counter[str] = Counter()
    program = engine.program
    assert [is_repeated(program, state, again, counters) for _ in range(2)] == [bool(told), True]
    assert counters["duplicate"] == told + 1
    assert sum(map(len, state.seen + state.seen_before)) == 10
