"""What a message takes along: every value of its template, and where its reader is."""

from __future__ import annotations

import pytest

from kairos.engine.effect import Candidate
from kairos.engine.user.state import UserState
from tests.engine_kit import BASE, DAY, decisions, engine_of, events, rules
from tests.unit.gate.gate_rules import ORDER

CONTENT = [
    ("{{ n }}", "n: n", "n=1", "send sms"),
    ("{{ n }}", "n: n", "", "suppress missing_value"),
    ("{{ n | default: 'x' }}", "n: n", "", "send sms"),
    ("Hi{% if n %} {{ n }}{% endif %}", "n: n", "", "send sms"),
    ("{% if n %}{{ n }}{% endif %}", "n: n", "", "suppress missing_value"),
    ("{{ o.city }}", "o: o", 'o={"city":"Bonn"}', "send sms"),
    ("{{ o.city }}", "o: o", 'o={"zip":"1"}', "suppress missing_value"),
    ("{{ profile.home.city }}", "", "", "suppress missing_value"),
    ("{{ profile.name }}", "", "", "suppress missing_value"),
    ("{{ profile.level }}", "", "", "send sms"),
    ("{{ material.banner.link }}", "", "", "send sms"),
]


@pytest.mark.parametrize(("template", "data", "props", "told"), CONTENT)
def test_content(template: str, data: str, props: str, told: str) -> None:
    text = ORDER.replace("template: t", "template: own") + f"data: {{{data}}}\n"
    materials = "banner: {link: 'https://shop.example/'}\n" if "material" in template else "{}"
    rule_set = rules(text, templates={"own.sms": template}, materials=materials)
    profiles = {"u1": {"phone": "1", "level": 2}}
    assert decisions(rule_set, events(f"0s order {props}".strip()), profiles) == [f"0s a {told}"]


def test_a_delivery_carries_every_value_that_its_template_reads() -> None:
    text = ORDER.replace("template: t", "template: own") + "data: {n: n}\n"
    templates = {"own.sms": "{{ profile.name | default: 'you' }} {% if profile.level %}{{ n }}{% endif %}"}
    profiles = {"u1": {"phone": "1", "name": "Ann", "level": 2}}
    engine = engine_of(rules(text, templates=templates), profiles)
    [candidate] = engine.on_event("u1", UserState(), events("0s order n=7")[0], BASE + DAY)
    assert isinstance(candidate, Candidate)
    assert candidate.delivery.values == {"n": 7, "profile.name": "Ann", "profile.level": 2}
    assert candidate.delivery.address == "1"


@pytest.mark.parametrize(
    ("profile", "active", "said"),
    [
        ({"timezone": "Asia/Tokyo"}, "active: {timezone: Europe/Berlin}\n", "Asia/Tokyo"),
        ({}, "active: {timezone: Europe/Berlin}\n", "Europe/Berlin"),
        ({}, "", "America/New_York"),
    ],
)
def test_a_delivery_says_where_its_reader_is(profile: dict[str, str], active: str, said: str) -> None:
    text = ORDER.replace("template: t", "template: own") + active + "data: {at: event.time}\n"
    rule_set = rules(text, templates={"own.sms": "{{ at | local: '%H' }}"}, policy="timezone: America/New_York\n")
    engine = engine_of(rule_set, {"u1": {"phone": "1", **profile}})
    [candidate] = engine.on_event("u1", UserState(), events("0s order")[0], BASE + DAY)
    assert isinstance(candidate, Candidate)
    assert candidate.delivery is not None
    assert candidate.delivery.zone == said
