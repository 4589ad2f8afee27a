"""Topics: nobody gets what they are not in, and what cannot be read is a no."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.event import Event
from kairos.engine.profile.port import Degraded
from kairos.engine.profile.topics import LAST, Topic, Word, agrees, change_of, problem_of_consents, read_word, word_of
from kairos.engine.user.codec import StateCodec
from tests.engine_kit import BASE, HOUR, decisions, engine_of, events, rules, run
from tests.unit.engine.live_user import User

NEWS = "activity: a\ntopic: news\ntrigger: {event: ask}\nsend: [{channel: sms, template: t}]\n"
OPT_IN, OPT_OUT = "news: {title: News, default: opt_in}\n", "news: {default: opt_out}\n"
NO, YES = ["0s a suppress consent"], ["0s a send sms"]


def told(topics: str, consents: Any = None, policy: str = "", **more: Any) -> list[str]:
    files = {"topics": topics, **({"policy": policy} if policy else {})}
    profile = {"phone": "1", **({} if consents is None else {"consents": consents}), **more}
    return decisions(rules(NEWS, **files), events("0s ask"), {"u1": profile})


@pytest.mark.parametrize(
    ("consents", "opt_in", "opt_out"),
    [
        (None, NO, YES),
        ({}, NO, YES),
        ({"other": {"on": True, "at": 1}}, NO, YES),
        ({"news": {"on": True, "at": 1, "by": "link"}}, YES, YES),
        ({"news": {"on": False, "at": 1}}, NO, NO),
        ({"news": True}, YES, YES),
        ({"news": "off"}, NO, NO),
        ({"news": {"at": 1}}, NO, NO),
        ({"news": {"on": "maybe"}}, NO, NO),
        ({"news": []}, NO, NO),
    ],
)
def test_what_the_profile_says(consents: Any, opt_in: list[str], opt_out: list[str]) -> None:
    assert (told(OPT_IN, consents), told(OPT_OUT, consents)) == (opt_in, opt_out)


@pytest.mark.parametrize("consents", ["news", ["news"], 1, True])
def test_where_nothing_of_it_can_be_read_no_channel_may_be_used(consents: Any) -> None:
    assert told(OPT_OUT, consents) == NO
    plain = NEWS.replace("topic: news\n", "")
    asked = decisions(rules(plain), events("0s ask"), {"u1": {"phone": "1", "consents": consents}})
    assert asked == ["0s a suppress unreachable"]
    assert problem_of_consents(consents)


def test_the_white_list_does_not_bypass_it_and_the_black_list_is_asked_first() -> None:
    policy = "lists: {white: [u1], black: redis}\n"
    assert told(OPT_IN, policy=policy) == NO
    assert told(OPT_IN, policy=policy, lists=["black"]) == ["0s a suppress blacklist"]


def test_a_watch_contacts_nobody_and_is_not_asked() -> None:
    watch = rules(NEWS.partition("send")[0], topics=OPT_IN)
    assert decisions(watch, events("0s ask")) == ["0s a match"]


def test_it_is_asked_again_after_a_hold() -> None:
    held = rules(NEWS, topics=OPT_OUT, policy="quiet_hours: {from: '12:00', to: '13:00'}\n")
    seen = events("0s ask", "1m consent.changed topic=news on=false")
    assert decisions(held, seen, {"u1": {"phone": "1"}}) == ["0s a hold quiet_hours", "1h a suppress consent"]


def test_of_a_profile_and_an_event_the_newer_word_counts() -> None:
    seen = events("1h consent.changed topic=news on=true", "2h ask")
    for hour, expected in ((0, "2h a send sms"), (3, "2h a suppress consent")):
        profile = {"phone": "1", "consents": {"news": {"on": False, "at": BASE + hour * HOUR}}}
        assert decisions(rules(NEWS, topics=OPT_IN), seen, {"u1": profile}) == [expected]


def test_where_the_profile_cannot_be_had_nobody_knows() -> None:
    engine = engine_of(rules(NEWS, topics=OPT_OUT), {"u1": Degraded()})
    assert User(engine).take("0s ask", "0s", 1) == ["0s a suppress consent"]


@pytest.mark.parametrize("on", ["maybe", None, [], {}, 2])
def test_a_word_of_an_event_that_nobody_can_read_is_a_no(on: Any) -> None:
    change = change_of(Event("e", "consent.changed", BASE, "shop", {"topic": "news", "on": on}, "u1"))
    assert change is not None
    assert (change.word, change.by) == (Word(False, BASE), "event:shop")


@pytest.mark.parametrize("topic", [None, "", "News", 1, "a" * 101, ["news"]])
def test_an_event_that_names_no_topic_says_nothing(topic: Any) -> None:
    seen = Event("e", "consent.changed", BASE, "", {"topic": topic, "on": True}, "u1")
    assert change_of(seen) is None


@given(words=st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=6), order=st.randoms())
def test_the_newest_word_counts_in_whatever_order_they_come(words: list[tuple[int, bool]], order: Any) -> None:
    """Late ones too; the state goes through its encoding. Of one time the no counts."""
    engine, codec = engine_of(rules(NEWS, topics=OPT_IN)), StateCodec()
    user = User(engine)
    order.shuffle(words)
    for place, (hour, on) in enumerate(words, 1):
        user.take(f"{hour}h consent.changed topic=news on={str(on).lower()} id=e{place}", "6h", place)
        user.state = codec.decode(codec.encode(user.state))
    newest = max(hour for hour, _ in words)
    agreed = all(on for hour, on in words if hour == newest)
    assert user.take("7h ask", "7h", 99) == [f"7h a {'send sms' if agreed else 'suppress consent'}"]


def test_words_are_read() -> None:
    assert read_word({"on": True, "at": "2026-11-02T12:00:00Z"}) == Word(True, BASE)
    assert read_word({"on": True, "at": "yesterday"}) == Word(True, 0)
    assert read_word(False) == read_word({"on": "?", "at": 1}) == Word(False, LAST)
    assert word_of({"consents": {"news": None}}, "news") is None
    assert agrees(Topic("opt_in"), None) is False
    assert agrees(Topic("opt_out"), None, Word(True, 2), Word(False, 2)) is False


def test_of_topics_that_the_rules_do_not_have_nothing_is_kept() -> None:
    user = User(engine_of(rules(NEWS, topics=OPT_IN)))
    user.take("0s consent.changed topic=other on=true", "0s", 1)
    assert user.state.consents == {}


def test_it_may_stand_in_a_pattern_like_any_other_event() -> None:
    thanks = "activity: a\ntrigger: {event: consent.changed, where: topic == 'news' and on}\n"
    found = run(rules(thanks, topics=OPT_IN), events("0s consent.changed topic=news on=true"))
    assert [record.outcome for record in found] == ["match"]
