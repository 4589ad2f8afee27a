"""What Kairos did, in any order of arrival and with a restore after each record: the same decisions."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.decision import Record, occurrence_id
from kairos.engine.effect import Candidate
from kairos.engine.event import Event
from kairos.engine.user.codec import StateCodec
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, DAY, engine_of, event, receipt, rules, tell

LATENESS = 2_000
RULES = rules(
    "activity: a\ntrigger: {event: order}\ndata: {n: n}\n"
    "send: [{channel: sms, template: t}, {channel: email, template: t}]\ngoal: {event: pay, within: 2h}\n",
    "activity: silent\ntrigger: {pattern: [{sent: a, as: s}, {absent: {clicked: a}}], within: 30m}\n"
    "data: {n: s.n, sends: metric.sends}\nsend: [{channel: webhook}]\n",
    "activity: lost\ntrigger: {pattern: [{failed: a, as: one}, {failed: a, as: two}], within: 1h}\n",
    "activity: won\ntrigger: {pattern: [{goal: a, as: g}]}\ndata: {attempt: g.attempt}\n",
    "activity: after\ntrigger: {pattern: [{sent: silent}]}\n",
    metrics="sends: {count: message.sent, window: 1d}\n",
)
STATUSES = ("sent", "delivered", "read", "clicked", "failed")

orders = st.lists(st.integers(0, 90), min_size=1, max_size=4, unique=True)
said = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 2), st.sampled_from(STATUSES), st.integers(1, 80)), max_size=10
)
pays = st.lists(st.integers(0, 120), max_size=2)


def stream(minutes: list[int], receipts: list[tuple[int, int, str, int]], paid: list[int]) -> list[Event]:
    """Each at a time of its own, so that no order is left open."""
    found = [event(f"{minute}m order n={n} id=o{n}") for n, minute in enumerate(minutes)]
    for number, (which, attempt, status, later) in enumerate(receipts):
        order = found[which % len(minutes)]
        occurrence = occurrence_id("a", {"order": [order.id]})
        at = (order.time - BASE) // 1_000 + later * 60 + number + 1
        found.append(receipt(f"{at}s a {status} occurrence={occurrence} attempt={attempt}"))
    return found + [event(f"{minute}m30s pay id=p{n}") for n, minute in enumerate(paid)]


def decided(arrival: list[Event], *, restore: bool) -> list[str]:
    engine, state, codec = engine_of(RULES), UserState(), StateCodec()
    effects, watermark = [], 0
    for one in arrival:
        watermark = max(watermark, one.time - LATENESS - 1)
        effects += engine.on_event("u1", state, one, watermark)
        if restore:
            state = codec.decode(codec.encode(state))
    effects += engine.on_time("u1", state, BASE + 10 * DAY)
    records = [effect.record if isinstance(effect, Candidate) else effect for effect in effects]
    return sorted(f"{tell(r)} {r.occurrence} {r.data}" for r in records if isinstance(r, Record))


@settings(max_examples=100)
@given(orders, said, pays, st.randoms(use_true_random=False))
def test_arrival_and_restores_make_no_difference(
    minutes: list[int], receipts: list[tuple[int, int, str, int]], paid: list[int], chance: Random
) -> None:
    events = stream(minutes, receipts, paid)
    in_time = sorted(events, key=lambda one: one.time)
    disturbed = sorted(events, key=lambda one: one.time + chance.randrange(LATENESS))
    assert decided(disturbed, restore=True) == decided(in_time, restore=False)
