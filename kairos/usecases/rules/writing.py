"""A file of the rule folder while somebody writes it: as a form and a picture, with what could be typed, and edits of
single values that leave the rest of the text as it is."""

from __future__ import annotations

from typing import Literal, get_args

import msgspec

from kairos.engine.journey.draw import graph_of, svg
from kairos.engine.rule.fields.complete import Completion, Names, complete
from kairos.engine.rule.fields.form import NEW, Group, form_of, path_of
from kairos.engine.rule.fields.shape import list_of, record_of, type_at
from kairos.engine.rule.fields.spelling import yaml_of
from kairos.engine.rule.files import type_of
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.text.edit import EditError, moved, with_item, with_value
from kairos.usecases.errors import AskError

FORMS = ("activities/", "journeys/")
"""Folders whose files are shown as forms."""
Deed = Literal["set", "remove", "add", "up", "down"]


class Edit(msgspec.Struct, frozen=True):
    """`path`: keys and places with dots between them. `value`: of `set`, what the field says; of `add`, the kind."""

    deed: Deed
    path: str
    value: str = ""


def form(path: str, text: str) -> Group | None:
    """None: it has no form, or is no YAML now."""
    type_ = type_of(path) if path.startswith(FORMS) and not path.endswith(".test.yaml") else None
    return form_of(text, type_) if type_ is not None else None


def completion(path: str, text: str, at: int, names: Names) -> Completion:
    """What may stand at the offset `at`."""
    type_ = type_of(path)
    if type_ is None or not 0 <= at <= len(text):
        return Completion(at, at, [])
    return complete(text, at, type_, names)


def edited(path: str, text: str, edit: Edit) -> str:
    """The text after one edit. Raises AskError where it is written in a way that only the text itself can change."""
    type_, place = type_of(path), path_of(edit.path)
    declared = type_at(type_, place) if type_ is not None else None
    if declared is None or edit.deed not in get_args(Deed):
        raise AskError(f"{path} has no field {edit.path[:100]!r}")
    try:
        match edit.deed:
            case "set":
                return with_value(text, place, yaml_of(edit.value, declared))
            case "remove":
                return with_value(text, place, None)
            case "add":
                listed = list_of(declared)
                record = record_of(listed.item) if listed is not None else None
                new = NEW.get(record.name, {}).get(edit.value) if record is not None else None
                if new is None:
                    raise AskError(f"{edit.path[:100]} has nothing of the kind {edit.value[:100]!r}")
                return with_item(text, place, new)
        return moved(text, place, -1 if edit.deed == "up" else 1)
    except EditError as error:
        raise AskError(f"{edit.path[:100]}: {error}") from None


def picture(rules: RuleSet, name: str) -> str | None:
    """SVG to stand in a page; None: it is no journey."""
    journey = rules.journeys.get(name)
    title = rules.activities[name].title or name if journey is not None else ""
    return None if journey is None else svg(graph_of(journey, rules), title, alone=False)


def belonging(path: str, rules: RuleSet) -> list[str]:
    """Paths of what belongs to an activity or journey, by the path of its file: its examples, and its texts."""
    if not path.startswith(FORMS) or path.endswith(".test.yaml"):
        return []
    name = path.rpartition("/")[2].removesuffix(".yaml")
    sends = [send for part in rules.activities.values() if journey_of(part.name) == name for send in part.sends]
    texts = dict.fromkeys(f"templates/{send.template}.{send.channel}.liquid" for send in sends if send.template)
    return [path.removesuffix(".yaml") + ".test.yaml", *texts]


def themes_in(rules: RuleSet) -> list[str]:
    """The folders of activities."""
    return sorted({activity.theme for activity in rules.activities.values()} - {""})


def names_in(rules: RuleSet) -> Names:
    """Key of a rule file -> names that may stand behind it."""
    events = sorted({event for source in (rules.sources or {}).values() for event in source.events})
    crowds, caps = sorted(rules.crowds), sorted(rules.policy.caps)
    activities = sorted({journey_of(name) for name in rules.activities})
    of_activities = dict.fromkeys(("sent", "delivered", "read", "clicked", "failed", "goal"), activities)
    return {
        **of_activities,
        **dict.fromkeys(("in", "any_of", "not_in", "crowd", "entered", "left", "control_group"), crowds),
        **dict.fromkeys(("caps", "counts_toward", "default_caps"), caps),
        **dict.fromkeys(("event", "absent", "not_next", "count"), events),
        "template": sorted({name.partition(".")[0] for name in rules.templates}),
        "topic": sorted(rules.topics),
        "matching": sorted(rules.policy.matching),
        "budget": sorted(rules.policy.budgets),
    }
