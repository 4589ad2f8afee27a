"""`once` for each value of a prop: o01 of the acceptance cases has the plain way of it."""

from __future__ import annotations

from tests.engine_kit import decisions, events, rules
from tests.unit.engine.live_user import user

LOOK = "activity: a\ntrigger: {event: view}\nlimits: {once: {per: p, in: 1h}}\nsend: [{channel: sms, template: t}]\n"


def test_values_are_told_apart_as_everywhere_and_none_is_a_value_too() -> None:
    told = decisions(rules(LOOK), events("0s view p=1", "1s view p=1.0", "2s view", "3s view", '4s view p="1"'))
    assert told == ["0s a send sms", "1s a suppress once", "2s a send sms", "3s a suppress once", "4s a send sms"]


def test_a_list_counts_for_each_of_its_values_where_the_trigger_parts_by_them() -> None:
    parted = LOOK.replace("{event: view}", "{event: view, per: p}")
    told = decisions(rules(parted), events('0s view p=["x","y"]', '1s view p=["y","z"]'))
    assert told == ["0s a send sms", "0s a send sms", "1s a send sms", "1s a suppress once"]


def test_the_last_matched_event_has_the_value() -> None:
    text = LOOK.replace("{event: view}", "{pattern: [{event: view}, {event: buy}], within: 1d}")
    told = decisions(
        rules(text), events("0s view p=1", "1s buy p=2", "2s view p=3", "3s buy p=2", "4s view", "5s buy p=1")
    )
    assert told == ["1s a send sms", "3s a suppress once", "5s a send sms"]


def test_a_watch_counts_from_the_match_and_control_as_if_sent() -> None:
    watch = LOOK.replace("send: [{channel: sms, template: t}]\n", "")
    assert decisions(rules(watch), events("0s view p=1", "1s view p=1")) == ["0s a match", "1s a suppress once"]
    control = LOOK + "audience: {control_group: 100%}\n"
    assert decisions(rules(control), events("0s view p=1", "1s view p=1")) == ["0s a control", "1s a suppress once"]


def test_what_reached_nobody_does_not_count_for_its_own_value() -> None:
    u = user(LOOK)
    for place, text in enumerate(("0s view p=1", "1s view p=2", "2s a failed"), 1):
        u.take(text, text.split(" ")[0], place)
    assert u.take("3s view p=2", "3s", 4) == ["3s a send sms"]
    assert u.take("4s view p=1", "4s", 5) == ["4s a suppress once"]


def test_it_is_forgotten_when_it_can_bind_no_more() -> None:
    u = user(LOOK)
    u.take("0s view p=1", "0s", 1)
    assert len(u.state.once) == 1
    u.wait("3d")
    assert u.state.once == {}
