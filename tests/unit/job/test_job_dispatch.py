"""Dispatch without Flink: units spent in the order of event time, refusals remembered and sent back."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kairos.engine.coupon.pools import Claim, Pools, Return
from kairos.engine.decision import Record
from kairos.engine.effect import Candidate, Delivery
from kairos.engine.record_size import MOST_BYTES
from kairos.engine.topics import DEAD_LETTERS, DECISIONS, RECEIPTS, deliveries_topic
from kairos.engine.trace import trace_of_decision
from operators.dispatch import DAY, REMEMBERED, Dispatch
from operators.outlet import Outlet
from operators.rows import REQUESTS
from operators.telemetry import Telemetry
from tests.unit.job.dispatch_kit import Flink, Operator, T, outcomes


def test_candidates_wait_for_the_watermark_and_go_in_the_order_of_time_and_user() -> None:
    operator = Operator(budget=2)
    for user, at in (("u3", T + 5), ("u2", T), ("u1", T)):
        operator.send(user, at)
    assert operator.advance(T - 1) == []
    assert outcomes(operator.advance(T + 4)) == [("u1", "send"), ("u2", "send")]
    assert outcomes(operator.advance(T + 5)) == [("u3", "suppress")]


def test_a_send_goes_to_its_channel_and_a_refusal_back_to_its_user() -> None:
    operator = Operator(budget=1)
    operator.send("u1", T)
    operator.send("u2", T)
    rows = operator.advance(T)
    assert [topic for topic, _ in rows] == [DECISIONS, deliveries_topic("sms"), DECISIONS, RECEIPTS]
    assert rows[2][1]["reason"] == "budget"
    assert rows[3][1] == {
        "type": "receipt", "user_id": "u2", "time": T,
        "props": {"activity": "a", "occurrence": "o-u2", "status": "released"},
    }  # fmt: skip


def test_a_unit_that_comes_back_is_free_from_then_on() -> None:
    operator = Operator(budget=1)
    operator.send("u1", T)
    operator.advance(T)
    operator.give_back("u1", T + 5)
    for user, at in (("u2", T + 5), ("u3", T + 6), ("u4", T + 7)):
        operator.send(user, at)
    assert outcomes(operator.advance(T + 9)) == [("u2", "suppress"), ("u3", "send"), ("u4", "suppress")]


def test_spent_and_given_back_at_one_instant() -> None:
    operator = Operator(budget=1)
    operator.give_back("u1", T)
    operator.send("u1", T)
    operator.send("u2", T + 1)
    assert outcomes(operator.advance(T + 1)) == [("u1", "send"), ("u2", "send")]


def test_what_was_refused_has_nothing_to_give_back_and_no_fallback() -> None:
    operator = Operator(budget=1)
    operator.send("u1", T)
    operator.send("u2", T)
    operator.advance(T)
    operator.give_back("u2", T + 1)
    operator.send("u2", T + 2, attempt=2)
    operator.send("u3", T + 3)
    assert outcomes(operator.advance(T + 3)) == [("u3", "suppress")]


def test_refusals_are_forgotten_when_no_fallback_can_come_any_more() -> None:
    operator = Operator(budget=0)
    operator.send("u1", T)
    operator.advance(T)
    operator.advance(T + REMEMBERED - DAY)
    assert operator.flink.refused == {"o-u1": T}
    operator.advance(T + REMEMBERED + DAY)
    assert operator.flink.refused == {}


def test_what_competes_with_no_other_never_comes_to_dispatch() -> None:
    """It is decided and delivered where its user is, under the fence of the engine that decided it."""
    outlet = Outlet(Telemetry(Flink()), 1_000, "engine/7")  # type: ignore[arg-type]
    record = Record("a", "v", None, "t", "u1", T, "send", None, "sms", "o", {"a": ["e1"]}, {})
    delivery = Delivery("a", "v", "u1", "o", 1, "sms", "t", "1", T, T, T + DAY, {})
    decided, delivered = outlet.rows([Candidate(record, delivery, 50, None)], None)
    assert (decided[0], delivered[0]) == (DECISIONS, deliveries_topic("sms"))
    message = msgspec.json.decode(delivered[2], type=Delivery)
    assert (message.fence, message.trace) == ("engine/7", trace_of_decision(record))
    assert message.trace
    competing: list[dict[str, Any]] = [
        {"budget": 1}, {"run": "monday"}, {"claims": [Claim("code", "spring", "o", "o", "u1")]},
        {"delivery": msgspec.structs.replace(delivery, attempt=2)},
    ]  # fmt: skip
    for why in competing:
        candidate = msgspec.structs.replace(Candidate(record, delivery, 50, None), **why)
        assert [row[0] for row in outlet.rows([candidate], None)] == [REQUESTS]


def test_without_a_budget_all_go_at_once_and_take_up_no_room() -> None:
    operator = Operator(budget=None)
    operator.send("u1", T)
    operator.send("u2", T)
    assert operator.flink.waiting == []
    assert outcomes(operator.advance(T - 1)) == [("u1", "send"), ("u2", "send")]
    operator.send("u2", T + 1, attempt=2)
    assert outcomes(operator.advance(T)) == []
    assert outcomes(operator.advance(T + 1)) == [("u2", "send")]


def test_a_message_that_is_too_large_is_a_dead_letter_and_has_failed() -> None:
    operator = Operator(budget=None)
    operator.send("u1", T, order="x" * MOST_BYTES, name="y")
    operator.send("u2", T, order="x")
    (_, decision), (topic, letter), (receipts, receipt), *beside = operator.advance(T)
    assert (decision["outcome"], topic, letter["reason"], letter["key"]) == ("send", DEAD_LETTERS, "too_large", "u1")
    assert "`order`" in letter["message"]
    assert (receipts, receipt) == (RECEIPTS, {
        "type": "receipt", "user_id": "u1", "time": T,
        "props": {
            "activity": "a", "occurrence": "o-u1", "attempt": 1, "channel": "sms", "status": "failed",
            "reason": "too_large",
        },
    })  # fmt: skip
    assert [topic for topic, _ in beside] == [DECISIONS, deliveries_topic("sms")]


def test_a_candidate_that_cannot_be_written_is_a_dead_letter_and_those_beside_it_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = Outlet.decision

    def fail(outlet: Outlet, record: Record) -> Any:
        if record.user_id == "u1":
            raise ValueError("oops")
        return whole(outlet, record)

    monkeypatch.setattr(Outlet, "decision", fail)
    operator = Operator(budget=None)
    operator.send("u1", T)
    operator.send("u2", T)
    rows = operator.advance(T)
    assert [topic for topic, _ in rows] == [DEAD_LETTERS, DECISIONS, deliveries_topic("sms")]
    assert (rows[0][1]["reason"], rows[0][1]["value"]) == ("engine_error", "a o-u1, attempt 1")


def test_an_address_is_written_to_once_a_run_and_forgotten_after_it() -> None:
    operator = Operator(None)
    for user, run in (("u1", "monday"), ("u2", "monday"), ("u3", ""), ("u4", "tuesday")):
        operator.send(user, 5, run=run)
    operator.send("u1", 6, attempt=2, run="monday")
    rows = operator.advance(10)
    assert outcomes(rows) == [("u3", "send"), ("u1", "send"), ("u2", "suppress"), ("u4", "send"), ("u1", "send")]
    assert [record["reason"] for topic, record in rows if topic == DECISIONS][2] == "duplicate_address"
    assert len(operator.flink.written) == 2
    operator.advance(10 * DAY)
    assert operator.flink.written == {}


def test_what_is_on_trial_is_recorded_and_goes_nowhere() -> None:
    operator = Operator(budget=1)
    for user in ("u1", "u2"):
        operator.send(user, T, shadow=True)
    rows = operator.advance(T)
    assert [topic for topic, _ in rows] == [DECISIONS, DECISIONS, RECEIPTS]
    assert [record["shadow"] for topic, record in rows if topic == DECISIONS] == [True, True]
    assert rows[2][1]["props"]["shadow"] is True, "or its twin's message would be taken back"


class Codes:
    """Two codes; whoever asks again gets the same."""

    def __init__(self) -> None:
        self.pools = Pools({"spring": ["A", "B"]})
        self.closed = False

    def take(self, claim: Claim) -> str | None:
        return self.pools.take(claim)

    def give_back(self, back: Return) -> None:
        self.pools.give_back(back)

    def close(self) -> None:
        self.closed = True


def test_codes_are_taken_in_the_order_of_time_filled_in_and_given_back() -> None:
    codes, operator = Codes(), Operator(budget=None)
    operator.function = Dispatch(1_000, "", lambda _count: codes)
    operator.function.open(operator.flink)
    for user, at in (("u2", T + 5), ("u1", T), ("u3", T + 7)):
        operator.send(user, at, claims=[Claim("code", "spring", f"a/{user}", "a", user)], code="")
    rows = operator.advance(T + 9)
    assert outcomes(rows) == [("u1", "send"), ("u2", "send"), ("u3", "suppress")]
    sent = [message for topic, message in rows if topic == deliveries_topic("sms")]
    assert [message["values"]["code"] for message in sent] == ["A", "B"]
    assert [record["data"] for topic, record in rows if topic == DECISIONS] == [{"code": "A"}, {"code": "B"}, {}]
    operator.give_back("u1", T + 20, [Return("spring", "a/u1", "a", "u1")])
    operator.send("u4", T + 21, claims=[Claim("code", "spring", "a/u4", "a", "u4")], code="")
    assert [message["values"]["code"] for topic, message in operator.advance(T + 30) if "sms" in topic] == ["A"]
    operator.function.close()
    assert codes.closed


def test_money_is_spent_and_given_back_in_its_own_units() -> None:
    one = Operator(budget=1_000_000)
    for user, at, units in (("u1", 0, 600_000), ("u2", 1, 500_000), ("u3", 2, 400_000)):
        one.send(user, T + at, units=units)
    one.give_back("u1", T + 3, units=600_000)
    one.send("u4", T + 4, units=600_000)
    decided = [record for topic, record in one.advance(T + 4) if topic == DECISIONS]
    assert [(r["user_id"], r["outcome"]) for r in decided] == [
        ("u1", "send"), ("u2", "suppress"), ("u3", "send"), ("u4", "send"),
    ]  # fmt: skip
