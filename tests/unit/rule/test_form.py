"""A rule file as a form, and what could be typed at a place of it: both from the declaration of its fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.adapters.rules.files import read_folder
from kairos.engine.rule.fields.activity import ACTIVITY
from kairos.engine.rule.fields.complete import complete
from kairos.engine.rule.fields.form import Group, Input, form_of
from kairos.engine.rule.fields.journey import JOURNEY
from kairos.engine.rule.fields.shape import type_at
from kairos.engine.rule.fields.sources import SOURCES
from kairos.engine.rule.fields.spelling import yaml_of
from kairos.engine.rule.fields.types import Type
from kairos.engine.rule.load import load
from kairos.usecases.errors import AskError
from kairos.usecases.rules.writing import Edit, belonging, edited, form

RULES = Path("rules")
FILES = sorted(str(path.relative_to(RULES)) for path in RULES.glob("activities/*/*.yaml") if ".test" not in path.name)
NAMES = {"in": ("staff", "vip"), "caps": ("marketing",), "event": ("cart", "purchase")}
JOURNEY_TEXT = """\
journey: welcome
trigger: {event: signup}
steps:
  - {id: hello, send: [{channel: email, template: t}]}
  - {wait: 1d}   # a day
"""
FILE = "journeys/shop/welcome.yaml"


def every_input(group: Group) -> list[Input]:
    return [*group.inputs, *(each for part in (*group.groups, *group.items) for each in every_input(part))]


def test_a_form_shows_what_is_written_and_what_could_be() -> None:
    shown = form_of("activity: x\ntrigger: {event: [a, b]}\nlimits: {once: 7d}\n", ACTIVITY)
    assert shown is not None
    values = {each.path: each.value for each in every_input(shown)}
    assert (values["trigger.event"], values["limits.once"], values["audience.where"]) == ("a, b", "7d", "")
    assert "trigger.within" not in values  # it goes with other triggers
    assert [group.name for group in shown.groups] == ["trigger", "audience", "limits", "send", "goal"]


@pytest.mark.parametrize("path", FILES)
def test_every_field_of_a_form_put_back_as_it_is_changes_nothing(path: str) -> None:
    text = (RULES / path).read_text()
    shown = form(path, text)
    assert shown is not None
    filled = [each for each in every_input(shown) if each.value]
    assert len(filled) > 4
    for each in filled:
        assert meant(edited(path, text, Edit("set", each.path, each.value or ""))) == meant(text), each.path


def meant(text: str) -> list[tuple[str, str | None]]:
    shown = form_of(text, ACTIVITY)
    assert shown is not None
    return [(each.path, each.value) for each in every_input(shown)]


def test_a_journey_is_edited_as_steps() -> None:
    longer = edited(FILE, JOURNEY_TEXT, Edit("add", "steps", "exit"))
    assert longer == f"{JOURNEY_TEXT}  - {{exit: done}}\n"
    first = edited(FILE, longer, Edit("up", "steps.2"))
    assert first.splitlines()[-2:] == ["  - {exit: done}", "  - {wait: 1d}   # a day"]
    assert edited(FILE, first, Edit("remove", "steps.1")) == JOURNEY_TEXT
    assert "id: hi," in edited(FILE, JOURNEY_TEXT, Edit("set", "steps.0.id", "hi"))


def test_what_belongs_to_an_activity_is_found_from_its_file() -> None:
    rules = load({**read_folder(RULES)}).rules
    assert rules is not None
    assert belonging("activities/checkout/payment_unfinished.yaml", rules) == [
        "activities/checkout/payment_unfinished.test.yaml",
        "templates/payment_unfinished.push.liquid",
        "templates/payment_unfinished.sms.liquid",
    ]
    assert belonging("policy.yaml", rules) == []


@pytest.mark.parametrize(
    "edit",
    [Edit("set", "nothing", "1"), Edit("add", "steps", "nothing"), Edit("up", "steps.0"), Edit("remove", "goal")],
)
def test_an_edit_of_what_is_not_there_is_refused(edit: Edit) -> None:
    with pytest.raises(AskError):
        edited(FILE, JOURNEY_TEXT, edit)


@pytest.mark.parametrize(
    ("path", "typed", "yaml"),
    [
        ("title", "10", "'10'"),
        ("title", "it's: so", "'it''s: so'"),
        ("priority", "10", "10"),
        ("audience.where", "a == 'b, c'", "'a == ''b, c'''"),
        ("audience.in", "vip, staff", "[vip, staff]"),
        ("audience.in", "vip, 10, null", "[vip, '10', 'null']"),
        ("trigger.event", "cart", "cart"),
        ("trigger.event", "cart, visit", "[cart, visit]"),
        ("limits.once", " ", None),
    ],
)
def test_what_is_typed_into_a_field_becomes_yaml(path: str, typed: str, yaml: str | None) -> None:
    declared = type_at(ACTIVITY, tuple(path.split(".")))
    assert declared is not None
    assert yaml_of(typed, declared) == yaml


HEAD = "activity: x\ntrigger: {event: cart}\n"


@pytest.mark.parametrize(
    ("text", "type_", "words"),
    [
        ("st|", ACTIVITY, ["state: "]),
        ("state: dr|", ACTIVITY, ["draft"]),
        (f"{HEAD}limits:\n  qu|", ACTIVITY, ["quiet_hours: "]),
        (f"{HEAD}limits:\n  once: 1d\n  qu|\nsend: []\n", ACTIVITY, ["quiet_hours: "]),
        (f"{HEAD}limits:\n  quiet_hours: |\n", ACTIVITY, ["hold", "drop", "ignore"]),
        (f"{HEAD}limits: {{qu|", ACTIVITY, ["quiet_hours: "]),
        (f"{HEAD}audience: {{in: [v|]}}", ACTIVITY, ["vip"]),
        (f"{HEAD}audience:\n  in:\n    - |\n", ACTIVITY, ["staff", "vip"]),
        (f"{HEAD}send:\n  - ch|", ACTIVITY, ["channel: "]),
        ("trigger: {event: pu|}\nsend: [\n", ACTIVITY, ["purchase"]),
        (f"{HEAD}limits:\n  quiet|_hours: hold\n", ACTIVITY, []),
        ("steps:\n  - {wait_for: {wi|", JOURNEY, ["within: "]),
        ("no yaml: [ : } |", ACTIVITY, []),
        ("shop:\n  identity: {phone: |}\n", SOURCES, ["redis"]),
    ],
)
def test_what_could_stand_at_the_caret(text: str, type_: Type, words: list[str]) -> None:
    at = text.index("|")
    found = complete(text.replace("|", "", 1), at, type_, NAMES)
    assert [word.text for word in found.words] == words
