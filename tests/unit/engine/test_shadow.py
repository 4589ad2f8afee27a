"""What is on trial: a whole activity, or a version beside a live one. Properties: tests/properties/test_shadow.py."""

from __future__ import annotations

import pytest

from kairos.engine.decision import Record
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.changes.change import change_of
from kairos.engine.rule.changes.succession import succeed
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.reads.needs import needs_of
from kairos.engine.rule.release import Release, activity_version, decode, encode
from tests.engine_kit import BASE, events, program_of, rules, run, tell

CAP = "timezone: UTC\ncaps: {day: {rules: [{max: 1, per: 1d}]}}\n"
TWIN = (
    "activity: twin\nstate: live\ntrigger: {event: order}\nlimits: {caps: [day]}\nsend: [{channel: sms, template: t}]\n"
)
OTHER = TWIN.replace("twin", "other").replace("order", "visit")
WHOLE = TWIN.replace("state: live", "state: shadow")


def told(rule_set: RuleSet, *given: str, shadows: dict[str, Activity] | None = None) -> list[str]:
    records = Simulation(rule_set, shadows=shadows or {}).run(events(*given))
    return [f"{tell(record)}{' (shadow)' if record.shadow else ''}" for record in records]


def version(text: str) -> Activity:
    return rules(text, policy=CAP).activities["twin"]


def test_others_sends_take_its_slots_and_its_own_take_none_of_theirs() -> None:
    both = rules(WHOLE, OTHER, policy=CAP)
    assert told(both, "1m order", "2m visit") == ["1m twin send sms (shadow)", "2m other send sms"]
    assert told(both, "1m visit", "2m order") == ["1m other send sms", "2m twin suppress cap:day (shadow)"]
    assert told(both, "1m order", "2m order") == ["1m twin send sms (shadow)", "2m twin suppress cap:day (shadow)"]


def test_its_twin_s_sends_take_none_of_its_slots() -> None:
    beside = version(TWIN.replace("{event: order}", "{event: order, where: amount > 5}"))
    assert told(rules(TWIN, policy=CAP), "1m order amount=1", "2m order amount=9", shadows={"twin": beside}) == [
        "1m twin send sms",
        "2m twin suppress cap:day",
        "2m twin send sms (shadow)",
    ]


def test_who_goes_first_at_one_instant_does_not_see_who_comes_after() -> None:
    first = rules(WHOLE.replace("state", "priority: 90\nstate"), OTHER.replace("visit", "order"), policy=CAP)
    assert told(first, "1m order") == ["1m twin send sms (shadow)", "1m other send sms"]
    last = rules(WHOLE.replace("state", "priority: 10\nstate"), OTHER.replace("visit", "order"), policy=CAP)
    assert told(last, "1m order") == ["1m other send sms", "1m twin suppress cap:day (shadow)"]


def test_it_has_a_budget_of_its_own() -> None:
    limited = TWIN.replace("caps: [day]", "budget: {sends: 1}")
    given = ["1m order user=u1", "2m order user=u2"]
    assert told(rules(limited, policy=CAP), *given, shadows={"twin": version(limited)}) == [
        "1m twin send sms",
        "1m twin send sms (shadow)",
        "2m twin suppress budget",
        "2m twin suppress budget (shadow)",
    ]


def test_nobody_hears_of_its_messages() -> None:
    listener = (
        "activity: thanks\nstate: live\ntrigger: {pattern: [{sent: twin}]}\nsend: [{channel: email, template: t}]\n"
    )
    assert told(rules(WHOLE, listener, policy=CAP), "1m order") == ["1m twin send sms (shadow)"]
    assert len(told(rules(TWIN, listener, policy=CAP), "1m order")) == 2
    heard = rules(TWIN, listener.replace("live", "shadow"), policy=CAP)
    assert told(heard, "1m order") == ["1m thanks send email (shadow)", "1m twin send sms"], "it hears of others'"


def test_it_counts_with_the_metrics_of_the_user() -> None:
    often = WHOLE.replace("{event: order}", "{event: order, where: metric.orders == 2 and prior.orders == 1}")
    given = rules(often, metrics="orders: {count: order}\n", policy=CAP)
    assert told(given, "1m order", "2m order", "3m order") == ["2m twin send sms (shadow)"]


def test_asked_of_a_rule_it_answers_as_if_it_were_live() -> None:
    """`kairos test`, `explain` and `compare`."""
    assert [tell(record) for record in run(rules(WHOLE, policy=CAP), events("1m order"))] == ["1m twin send sms"]


def test_what_it_reads_of_profiles_is_fetched() -> None:
    asked = WHOLE.replace("limits", "audience: {where: 'profile.level > 2'}\nlimits")
    fields = needs_of(program_of(rules(asked, policy=CAP))).fields
    assert fields is not None
    assert "level" in fields


def test_a_shadow_is_no_other_version() -> None:
    plain = version(TWIN)
    assert activity_version(version(TWIN.replace("state", "shadow: 0123456789abcdef\nstate"))) == activity_version(
        plain
    )


def test_a_release_finds_the_version_where_it_was() -> None:
    old, changed = rules(TWIN, policy=CAP), TWIN.replace("sms", "email")
    hash_ = activity_version(old.activities["twin"])
    new = rules(changed.replace("state", f"shadow: {hash_}\nstate"), policy=CAP)
    release = decode(encode(succeed(succeed(None, old, BASE), new, BASE)))
    assert release.shadows == {"twin": old.activities["twin"]}
    kept = succeed(release, rules(changed.replace("state", f"shadow: '{hash_}'\nstate"), OTHER, policy=CAP), BASE)
    assert kept.shadows == release.shadows


REFUSED = [
    ("0123456789abcdef", "", "no version 0123456789abcdef is known"),
    ("itself", "", "is this version itself"),
    ("old", "metric.orders > 1", "reads metric.orders, which is no more"),
    ("old", 'in_crowd("vip")', "asks for crowd vip, which is no more"),
]


@pytest.mark.parametrize(("named", "where", "why"), REFUSED)
def test_what_cannot_stand_in_a_shadow_is_refused(named: str, where: str, why: str) -> None:
    asked = f"audience: {{where: '{where}'}}\nlimits" if where else "limits"
    files = {"metrics": "orders: {count: order}\n", "crowds": "vip: {members: [u1]}\n"} if where else {}
    if where.startswith("in_crowd"):
        asked = "audience: {in: [vip]}\nlimits"
    old = rules(TWIN.replace("limits", asked), policy=CAP, **files)
    new = TWIN.replace("sms", "email")
    hashes = {"old": activity_version(old.activities["twin"]), "itself": activity_version(version(new))}
    next_ = rules(new.replace("state", f"shadow: '{hashes.get(named, named)}'\nstate"), policy=CAP)
    (refusal,) = change_of(Release(1, old), next_, BASE).refusals
    assert why in refusal


def test_a_shadow_that_is_over_leaves_nothing_behind() -> None:
    simulation = Simulation(rules(WHOLE, policy=CAP), shadows={})
    records: list[Record] = list(simulation.run(events("1m order")))
    assert records
    state = simulation.users["u1"]
    assert state.shadow is not None
    assert state.reservations == []
    simulation.engine.adopt(program_of(rules(OTHER, policy=CAP), 2, 0))
    simulation.engine.on_event("u1", state, *events("2d visit"), BASE + 10**9)
    assert state.shadow is None
