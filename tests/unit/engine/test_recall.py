"""What is called back before it has gone, what is regretted because it had, and what each answer gives back."""

from __future__ import annotations

import msgspec
import pytest

from kairos.engine.effect import Late, Recall
from tests.engine_kit import BASE, decisions, event, events, ms, receipt, rules
from tests.unit.engine.live_user import User, user

SEND = "send: [{channel: sms, template: t}]\n"
UNPAID = "activity: a\ntrigger: {pattern: [{event: order}, {absent: pay}], within: 10m}\n"
TWO = "send: [{channel: wechat, template: t}, {channel: sms, template: t, after: 5m}]\n"
GOAL = "activity: a\ntrigger: {event: order}\ngoal: {event: pay, within: 1h}\n"
ONE_A_DAY = "default_caps: [m]\ncaps: {m: {rules: [{max: 1, per: 1d}]}}\n"


def reminded(text: str = UNPAID + SEND, *receipts: str, policy: str = "", until: str = "20m", **settings: int) -> User:
    """A reminder left at 10m, these receipts came, and the user's events are applied up to `until`."""
    u = user(text, policy=policy, **settings)
    u.take("0s order", "0s", 1)
    u.wait("10m")
    for one in receipts:
        u.take(one, one.split(" ")[0], 0)
    u.take(f"{until} tick id=tick", until, 0)
    return u


# ------------------------------------------------------------------------------------------- undone by a late event


def test_a_late_event_calls_back_what_it_would_have_prevented() -> None:
    u = reminded()
    assert u.take("9m59s pay", "20m", 4) == ["late", "recall"]
    assert u.take("6m pay", "20m", 5) == ["late"]


ANSWERS = [
    # receipts after the recall, what they bring
    ("21m a recalled", []),
    ("21m a too_late", ["21m a regret sms"]),
    ("21m a sent", ["21m a regret sms"]),
    ("21m a unknown", ["21m a regret sms"]),
    ("21m a failed", []),
    ("21m a expired", []),
    ("21m a released reason=quiet_hours", []),
]


@pytest.mark.parametrize(("answer", "brings"), ANSWERS)
def test_the_answer_decides_whether_it_is_regretted(answer: str, brings: list[str]) -> None:
    u = reminded()
    u.take("5m pay", "20m", 3)
    assert u.take(answer, "21m", 4) == brings
    for more in ("22m a too_late", "23m a sent", "24m a delivered", "25m a too_late"):
        assert u.take(more, "1h", 5) == []


def test_an_answer_older_than_what_was_applied_is_recorded_when_it_is_applied() -> None:
    u = reminded()
    u.take("5m pay", "20m", 3)
    assert u.take("19m a too_late", "20m", 4) == ["20m a regret sms"]


@pytest.mark.parametrize("known", ["11m a sent", "11m a unknown", "11m a delivered", "11m a too_late"])
def test_what_is_known_to_have_gone_is_regretted_at_once(known: str) -> None:
    u = reminded(UNPAID + SEND, known)
    assert u.take("5m pay", "20m", 3) == ["late", "20m a regret sms"]
    assert u.take("21m a too_late", "21m", 4) == []


@pytest.mark.parametrize("known", ["11m a failed", "11m a expired", "11m a recalled"])
def test_what_is_known_to_have_come_to_nothing_is_not_regretted(known: str) -> None:
    """A job that goes back to its checkpoint may even hear the answer before it asks again."""
    u = reminded(UNPAID + SEND, known)
    assert u.take("5m pay", "20m", 3) == ["late"]


def test_a_failure_after_it_was_sent_is_regretted() -> None:
    u = reminded(UNPAID + SEND, "11m a sent", "12m a failed")
    assert u.take("5m pay", "20m", 3) == ["late", "20m a regret sms"]


def test_of_two_attempts_the_last_is_called_back_and_the_first_is_regretted() -> None:
    u = reminded(UNPAID + TWO, "11m a sent", until="17m")
    assert u.take("5m pay", "17m", 3) == ["late", "recall"]
    assert u.take("18m a recalled", "18m", 4) == ["18m a regret sms"]


def test_without_workers_nobody_would_answer() -> None:
    u = reminded(assume_delivered=True)
    assert u.take("5m pay", "20m", 3) == ["late", "20m a regret sms"]


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        ("recalled", ["30m a send sms"]),
        ("released reason=quiet_hours", ["30m a send sms"]),
        ("failed", ["30m a send sms"]),
        ("too_late", ["30m a suppress cap:m"]),
        ("unknown", ["30m a suppress cap:m"]),
    ],
)
def test_what_never_went_uses_nothing_up(answer: str, after: list[str]) -> None:
    u = reminded(policy=ONE_A_DAY, until="19m")
    u.take("20m order", "20m", 6)
    u.take("5m pay", "20m", 3)
    u.take(f"21m a {answer}", "21m", 4)
    assert u.wait("30m") == after


def test_a_recall_names_the_attempt() -> None:
    u = reminded(until="10m")
    late, recall = u.engine.on_event("u1", u.state, event("5m pay", 2), BASE + ms("10m"))
    assert isinstance(recall, Recall)
    assert (recall.activity, recall.user_id, recall.attempt, recall.channel) == ("a", "u1", 1, "sms")
    assert recall.at == BASE + ms("10m")
    assert isinstance(late, Late)
    assert (late.event.id, late.applied_until) == ("e2", BASE + ms("10m"))


# -------------------------------------------------------------------------------- overtaken in the order of time


@pytest.mark.parametrize("text", [UNPAID + SEND, UNPAID + TWO])
def test_a_payment_calls_back_the_reminder_that_has_not_gone(text: str) -> None:
    u = reminded(text, until="11m")
    assert u.take("12m pay", "11m", 3) == []
    assert u.engine.next_timer("u1", u.state) == BASE + ms("12m")
    assert u.wait("12m") == ["recall"]
    assert u.take("13m a too_late", "13m", 4) == []  # it was right to remind
    assert u.take("14m a failed", "1d", 5) == []  # and nothing stands in for it now


@pytest.mark.parametrize("known", ["11m a sent", "11m a unknown", "11m a failed", "11m a expired"])
def test_what_a_worker_has_done_with_is_not_called_back(known: str) -> None:
    u = reminded(UNPAID + SEND, known)
    assert u.take("21m pay", "21m", 3) == []


@pytest.mark.parametrize("paid", ["10m", "15m"])
def test_a_late_payment_from_after_the_reminder_calls_it_back_and_is_no_regret(paid: str) -> None:
    u = reminded()
    assert u.take(f"{paid} pay", "20m", 3) == ["late", "recall"]
    assert u.take("21m a too_late", "21m", 4) == []


@pytest.mark.parametrize(("answer", "then"), [("too_late", ["late", "20m a regret sms"]), ("recalled", ["late"])])
def test_a_payment_from_before_it_may_follow_one_from_after_it(answer: str, then: list[str]) -> None:
    u = reminded(until="11m")
    u.take("12m pay", "12m", 3)
    u.take(f"13m a {answer}", "20m", 4)
    u.take("20m tick", "20m", 5)
    assert u.take("5m pay", "20m", 6) == then


def test_a_payment_from_before_it_while_the_answer_is_awaited() -> None:
    u = reminded(until="11m")
    assert u.take("12m pay", "12m", 3) == ["recall"]
    assert u.take("5m pay", "12m", 4) == ["late"]
    assert u.take("13m a too_late", "13m", 5) == ["13m a regret sms"]


def test_a_met_goal_calls_back_what_has_not_gone() -> None:
    u = user(GOAL + SEND, policy=ONE_A_DAY)
    u.take("0s order", "0s", 1)
    assert u.take("1s pay", "1s", 2) == ["1s a goal", "recall"]
    assert u.take("2s a recalled", "2s", 3) == []
    assert u.take("3s order", "3s", 4) == ["3s a send sms"]


def test_a_met_goal_calls_back_a_fallback_under_way() -> None:
    u = user(GOAL + TWO)
    u.take("0s order", "0s", 1)
    u.take("1s a failed", "1s", 0)
    assert u.take("2s pay", "2s", 2) == ["2s a goal", "recall"]


def test_with_per_the_goal_calls_back_that_value_s_alone() -> None:
    u = user((GOAL + SEND).replace("{event: order}", "{event: order, per: n}"))
    u.take("0s order n=1", "0s", 1)
    u.take("0s order n=2", "0s", 2)
    effects = u.engine.on_event("u1", u.state, event("1s pay n=2", 3), BASE + ms("1s"))
    recalled = [effect.occurrence for effect in effects if isinstance(effect, Recall)]
    assert recalled == [case.occurrence for case in u.state.cases if case.part == "2"]


def test_a_simulation_recalls_nothing_and_decides_as_if_all_went() -> None:
    given = [*events("0s order", "1m pay"), receipt("2m a sent")]
    assert decisions(rules(GOAL + SEND), given) == ["0s a send sms", "1m a goal"]


def test_that_an_answer_is_awaited_survives_a_checkpoint() -> None:
    u = reminded()
    u.take("5m pay", "20m", 3)
    u.state = msgspec.msgpack.decode(msgspec.msgpack.encode(u.state), type=type(u.state))
    assert u.take("21m a too_late", "21m", 4) == ["21m a regret sms"]
