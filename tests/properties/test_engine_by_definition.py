"""The engine against gates and holds by their definition."""

from __future__ import annotations

from hypothesis import given, settings

from kairos.engine.event import Event
from tests.engine_kit import rules, run
from tests.properties.twins.engine_world import METRICS, PROFILES, rule_texts, streams
from tests.properties.twins.matching_by_definition import Rivals

TRIGGERS = ("{event: a}", "{event: b}", "{pattern: [{event: a}, {absent: b}], within: 2m}")
SENDS = (
    "",
    "send: [{channel: sms, template: t}]",
    "send: [{channel: sms, template: t}, {channel: email, template: t}]",
    "send: [{channel: email, template: t}, {channel: sms, template: t, after: 90s, unless: read}]",
    "send: [{channel: console}, {channel: sms, template: t, after: 1m, unless: clicked}]",
)
AUDIENCES = ("", "", "", "in: [vip]", "not_in: [vip]", "where: n != 2", "control_group: 50%")


@settings(max_examples=100)
@given(
    texts=rule_texts(triggers=TRIGGERS, sends=SENDS, audiences=AUDIENCES),
    events=streams(receipts=False, repeated=False),
)
def test_gates_holds_fallback_goals_and_matching(texts: tuple[list[str], str], events: list[Event]) -> None:
    activities, policy = texts
    rule_set = rules(*activities, policy=policy, crowds="vip: {members: redis}\n", metrics=METRICS)
    for user, profile in PROFILES.items():
        mine = [event for event in events if event.user_id == user]
        records = run(rule_set, mine, PROFILES)
        told = [(r.at, r.activity, r.outcome, r.reason, r.channel, r.attempt or 1) for r in records]
        wanted = Rivals(rule_set, user, dict(profile), sorted(mine, key=lambda e: e.order)).live()
        assert sorted(told, key=str) == sorted(wanted, key=str)


@settings(max_examples=60)
@given(
    texts=rule_texts(triggers=("{event: a}", "{count: b, times: 2, within: 3m}"), sends=SENDS, audiences=AUDIENCES),
    events=streams(receipts=False, repeated=False),
)
def test_where_nothing_must_be_absent_and_no_metric_is_read_merged_events_are_as_if_they_had_never_been(
    texts: tuple[list[str], str], events: list[Event]
) -> None:
    activities, policy = texts
    rule_set = rules(*activities, policy=policy, crowds="vip: {members: redis}\n", metrics=METRICS)
    known = [event for event in events if not event.merged]
    assert run(rule_set, events, PROFILES) == run(rule_set, known, PROFILES)
