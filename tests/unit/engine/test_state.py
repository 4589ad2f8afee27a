"""A user's state: its encoding, what bounds it, and which timers it asks for."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from kairos.engine.effect import Candidate
from kairos.engine.event import Event
from kairos.engine.moment import Settings
from kairos.engine.pattern.runs import Kept, Run, Runs
from kairos.engine.seen import NOWHERE, look, with_record
from kairos.engine.state_codec import StateCodec, StateVersionError
from kairos.engine.user_state import STATE_VERSION, ActivityRuns, Case, Reservation, UserState, origin_of
from tests.engine_kit import BASE, DAY, HOUR, MINUTE, engine_of, event, events, ms, rules

GOLDEN = Path(__file__).parent / "golden"
SEND = "send: [{channel: sms, template: t}]\n"


def full_state(version: int = STATE_VERSION) -> UserState:
    """Every field of every part that this version had holds something."""
    taken = Event("e1", "order", BASE, "shop", {"n": 1.5, "tags": ["x", None]})
    kept = Kept("e1" if version < 3 else bytes(16), "order", BASE, "shop", taken.props)
    case = Case(
        activity="a", version="0123456789abcdef", occurrence="fedcba9876543210", part="so1", matched_at=BASE + 1,
        steps={"order": [taken]}, attempt=1, entry=0, channel="sms", held_until=BASE + 2, held_for="cap:m",
        give_up=BASE + 3, sent_at=BASE + 4, fallback_at=BASE + 5, counted_from=BASE + 6, receipt="sent", control=False,
        goal_met=True, reached=True, keep_until=BASE + 7, once_was=BASE - 1, closed=True, freed=True, undone=True,
        priors={"orders": 3},
    )  # fmt: skip
    return UserState(
        applied_until=BASE,
        due=BASE + 8,
        tail=[Event("e2", "pay", BASE + 9, "", {"amount": 7}, merged=version > 1)],
        seen=with_record(b"", NOWHERE, look(b"", taken)[0], BASE),
        metrics={"orders@00000000": {0: 3, 1: [2, 1]}},
        runs={
            "a": ActivityRuns(
                origin_of("0123456789abcdef", "8899aabbccddeeff"),
                {"so1": Runs(2, [Run(1, (0, 3))], [(0,)], {0: kept}, 4)},
            )
        },
        cases=[case],
        reservations=[Reservation(BASE, "fedcba9876543210", "sms", ("m",))],
        once={"a": BASE},
        sweep_at=BASE + 10,
        timer=BASE + 11 if version > 2 else 0,
    )


def test_encoding_keeps_everything() -> None:
    codec, state = StateCodec(), full_state()
    assert _plain(codec.decode(codec.encode(state))) == _plain(state)
    assert _plain(codec.decode(codec.encode(UserState()))) == _plain(UserState())


@pytest.mark.parametrize("version", range(1, STATE_VERSION + 1))
def test_a_value_of_each_version_is_read(version: int) -> None:
    """A file is never written again: state of its version lies in savepoints. A new version adds a file of its own."""
    value = (GOLDEN / f"state_v{version}.msgpack").read_bytes()
    assert msgspec.msgpack.decode(value)[0] == version
    assert _plain(StateCodec().decode(value)) == _plain(full_state(version))


def test_this_version_is_written_as_it_always_was() -> None:
    assert StateCodec().encode(full_state()) == (GOLDEN / f"state_v{STATE_VERSION}.msgpack").read_bytes()


@pytest.mark.parametrize("value", [b"", b"\x93\x04\x00\x00", b"\xc1", b"\x92\x01\xa1x"])
def test_what_cannot_be_read_says_so(value: bytes) -> None:
    with pytest.raises(StateVersionError, match="user state"):
        StateCodec().decode(value)


def test_a_newer_version_is_refused_by_number() -> None:
    with pytest.raises(StateVersionError, match="version 4"):
        StateCodec().decode(msgspec.msgpack.encode([4, 0, 0, [], b"", {}, {}, [], [], {}, 0, 0, "more"]))


def _plain(state: UserState) -> object:
    return msgspec.to_builtins(state)


# ------------------------------------------------------------------------------------------------------------ timers


DEAR = "{event: order, where: amount > 5}"
TIMERS = [
    # (trigger, events, timer) before anything was applied; the sweep comes after a day
    ("{event: order}", ["1m order"], "1m"),
    ("{event: order}", ["1m pay"], None),
    ("{count: order, times: 2, within: 1h}", ["1m order"], None),
    ("{count: order, times: 2, within: 1h}", ["1m order", "2m order"], "2m"),
    ("{count: order, times: 1}", ["1m order"], "1m"),
    ("{pattern: [{event: pay, optional: true}, {event: order}], within: 1h}", ["1m order"], "1m"),
    ("{pattern: [{event: order}, {event: pay}], within: 1h}", ["1m pay"], None),
    ("{pattern: [{event: order}, {event: pay}], within: 1h}", ["1m order"], None),
    ("{pattern: [{event: order}, {event: pay}], within: 1h}", ["1m order", "2m pay"], "2m"),
    ("{pattern: [{event: order}, {absent: pay}], within: 10m}", ["1m order"], "11m"),
    ("{pattern: [{event: order}, {absent: pay}], within: 10m}", ["1m order", "2m pay"], "11m"),
    ("{pattern: [{event: order}, {absent: pay}], within: 10m}", ["1m pay"], None),
    ("{event: other}", ["1m order"], None),
    # a condition that the event alone answers is asked at once; one that needs the past or the profile is not
    ("{event: order, where: amount > 5}", ["1m order amount=6"], "1m"),
    ("{event: order, where: amount > 5}", ["1m order amount=5"], None),
    ("{event: order, where: 'metric.any > 5'}", ["1m order"], "1m"),
    ("{event: order, where: 'prior.any > 5'}", ["1m order"], "1m"),
    ("{event: order, where: 'profile.level > 5'}", ["1m order"], "1m"),
    ("{event: order, where: 'hour(event.time) == 25'}", ["1m order"], "1m"),
    (f"{{pattern: [{DEAR}, {{absent: pay}}], within: 10m}}", ["1m order amount=6"], "11m"),
    (f"{{pattern: [{DEAR}, {{absent: pay}}], within: 10m}}", ["1m order amount=5"], None),
    (f"{{pattern: [{DEAR}, {{event: pay}}], within: 1h}}", ["1m order amount=6", "2m pay"], "2m"),
    (f"{{pattern: [{DEAR}, {{event: pay}}], within: 1h}}", ["1m order amount=5", "2m pay"], None),
    (f"{{pattern: [{DEAR[:-1]}, optional: true}}, {{event: pay}}], within: 1h}}", ["1m pay"], "1m"),
    (f"{{pattern: [{DEAR[:-1]}, times: 2}}, {{event: pay}}], within: 1h}}", ["1m order amount=5", "2m pay"], None),
]


@pytest.mark.parametrize(("trigger", "given", "timer"), TIMERS)
def test_an_event_that_can_decide_nothing_costs_no_timer(trigger: str, given: list[str], timer: str | None) -> None:
    engine = engine_of(rules(f"activity: a\ntrigger: {trigger}\n", metrics="any: {count: [order, pay]}\n"))
    state = UserState()
    for place, text in enumerate(given):
        engine.on_event("u1", state, event(text, place), BASE)
    wanted = BASE + MINUTE + DAY if timer is None else BASE + ms(timer)
    assert engine.next_timer(state) == wanted


def test_what_could_complete_a_match_costs_a_timer_once_there_is_a_run_to_complete() -> None:
    engine = engine_of(rules("activity: a\ntrigger: {pattern: [{event: order}, {event: pay}], within: 1h}\n"))
    state = UserState()
    engine.on_event("u1", state, event("1m order"), BASE + ms("2m"))
    engine.on_event("u1", state, event("3m pay", 2), BASE + ms("2m"))
    assert engine.next_timer(state) == BASE + ms("3m")


def test_a_goal_asks_for_a_timer_only_where_something_was_sent() -> None:
    engine = engine_of(rules("activity: a\ntrigger: {event: order}\n" + SEND + "goal: {event: pay, within: 1h}\n"))
    state = UserState()
    engine.on_event("u1", state, event("1m pay"), BASE)
    assert engine.next_timer(state) == BASE + MINUTE + DAY
    engine.on_event("u1", state, event("2m order", 2), BASE + ms("2m"))
    engine.on_event("u1", state, event("3m pay", 3), BASE + ms("2m"))
    assert engine.next_timer(state) == BASE + ms("3m")


def test_what_is_in_the_tail_undoes_what_is_held_in_time() -> None:
    text = "activity: a\ntrigger: {pattern: [{event: order}, {absent: pay}], within: 1m}\n" + SEND
    engine = engine_of(rules(text, policy="quiet_hours: {from: '12:00', to: '13:00'}\n"))
    state = UserState()
    engine.on_event("u1", state, event("0s order"), BASE + MINUTE)
    engine.on_event("u1", state, event("2m pay", 2), BASE + MINUTE)
    assert engine.next_timer(state) == BASE + ms("2m")


def test_nothing_is_decided_before_the_watermark_is_there() -> None:
    engine = engine_of(rules("activity: a\ntrigger: {event: order}\n"))
    state = UserState()
    assert engine.on_event("u1", state, event("1m order"), BASE + MINUTE - 1) == []
    assert len(engine.on_time("u1", state, BASE + MINUTE)) == 1


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
    while (timer := engine.next_timer(state)) is not None:
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
