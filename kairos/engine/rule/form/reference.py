"""The reference of the rule files, from the field declarations: `docs/reference.md` is what this writes."""

from __future__ import annotations

from collections.abc import Iterator

from kairos.engine.channel import CHANNELS
from kairos.engine.expression.functions import COUPON, FUNCTIONS, PROGRESS
from kairos.engine.rule.fields.activity import ACTIVITY
from kairos.engine.rule.fields.alarms import ALARMS
from kairos.engine.rule.fields.catalog import CATALOGS, COUPONS
from kairos.engine.rule.fields.common import EVENT, NAMED, NAMED_PROP, USER
from kairos.engine.rule.fields.crowds import CROWDS
from kairos.engine.rule.fields.examples import EXAMPLES
from kairos.engine.rule.fields.journey import JOURNEY
from kairos.engine.rule.fields.materials import MATERIALS
from kairos.engine.rule.fields.measures import MEASURES
from kairos.engine.rule.fields.metrics import METRICS
from kairos.engine.rule.fields.numbers import NUMBERS
from kairos.engine.rule.fields.plan import PLAN
from kairos.engine.rule.fields.policy import POLICY, TOPICS
from kairos.engine.rule.fields.scores import GRADES, SCORES
from kairos.engine.rule.fields.sources import PROFILE, SOURCES
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Choice,
    Clock,
    Duration,
    Field,
    Filled,
    ListOf,
    MapOf,
    Moment,
    Named,
    OneOf,
    Percent,
    Record,
    TimeZone,
    Type,
)
from kairos.engine.rule.fields.workflow import WORKFLOW

_FILES: tuple[tuple[str, str, Type], ...] = (
    ("activities/<theme>/<activity>.yaml", "One activity: a moment, its people, its restraint, its message.", ACTIVITY),
    ("journeys/<theme>/<journey>.yaml", "One journey: a series of messages with waits, choices and an end.", JOURNEY),
    (
        "{activities,journeys}/<theme>/<name>.test.yaml",
        "The examples of an activity or a journey, beside it.",
        EXAMPLES,
    ),
    ("metrics.yaml", "What is counted of every user, by name.", METRICS),
    ("crowds.yaml", "Sets of users, by name.", CROWDS),
    ("policy.yaml", "What holds for every activity.", POLICY),
    ("topics.yaml", "What people can agree to, or leave, by itself.", TOPICS),
    ("catalogs.yaml", "Things that users follow, by name.", CATALOGS),
    ("coupons.yaml", "Pools of codes, by name.", COUPONS),
    ("sources.yaml", "Where events come from, and what they carry, by name of the source.", SOURCES),
    ("profile.yaml", "The types of the profile's fields, by name.", PROFILE),
    ("numbers.yaml", "What `kairos learn` found; the command writes it.", NUMBERS),
    ("materials.yaml", "Images, links, mini-programs and texts for templates, by name.", MATERIALS),
    ("measures.yaml", "What is asked of the warehouse: `kairos measure`.", MEASURES),
    ("scores.yaml", "Numbers about users that models find, or tables have: `kairos scores`.", SCORES),
    ("grades.yaml", "How well somebody fits: `kairos leads`.", GRADES),
    ("plans/<plan>.yaml", "One plan of the library, beside the rule folder: `kairos plans`.", PLAN),
    ("workflow.yaml", "Who has to agree before something runs: `kairos submit`.", WORKFLOW),
    ("alarms.yaml", "When to call somebody: `kairos alarms`.", ALARMS),
)

_HEAD = """# Reference of the rule files

Written from the declarations that the loader itself reads; a test keeps it fresh, so do not edit it. A field without a
default does nothing where it is missing.

| value | is |
|---|---|"""

_VALUES: dict[str, Type] = {
    "name": NAMED,
    "event type": EVENT,
    "prop": NAMED_PROP,
    "user": USER,
    "duration": Duration(),
    "percentage": Percent(),
    "time of day": Clock(),
    "date and time": Moment(),
    "time zone": TimeZone(),
}


def reference() -> str:
    """Markdown: a chapter a file, a section a record, a row a field; then what is no field: headers, functions."""
    values = [f"| {name} | {type_.expected} |" for name, type_ in _VALUES.items()]
    return "\n".join([_HEAD, *values, "", *_chapters(), *_heads(), *_functions()])


def _chapters() -> Iterator[str]:
    told: list[Record] = []
    for path, about, type_ in _FILES:
        yield f"## `{path}`\n\n{about}\n"
        if isinstance(type_, MapOf):
            yield f"A mapping: {type_.what} to {_said(type_.value)}.\n"
        before = len(told)
        for record in _records(type_, told)[before:]:
            yield from _section(record)


def _records(type_: Type, seen: list[Record]) -> list[Record]:
    """The records of a type, outermost first, each once."""
    match type_:
        case Record():
            if type_ not in seen:
                seen.append(type_)
                for field in type_.fields:
                    _records(field.type, seen)
        case MapOf():
            _records(type_.value, seen)
        case ListOf():
            _records(type_.item, seen)
        case OneOf():
            for option in type_.options:
                _records(option, seen)
    return seen


def _section(record: Record) -> Iterator[str]:
    yield f"### {record.name}\n\n{record.doc}\n"
    if record.choose:
        yield f"Exactly one of {', '.join(f'`{name}`' for name in record.choose)}.\n"
    yield "| field | value | default | meaning |\n|---|---|---|---|"
    for field in record.fields:
        yield f"| `{field.name}` | {_cell(_said(field.type))} | {_default(field)} | {_cell(field.doc)} |"
    if record.other:
        yield f"| `<{record.other_what}>` | {_cell(_said(record.other))} | required | One key of this kind. |"
    yield ""


def _said(type_: Type) -> str:
    for name, known in _VALUES.items():
        if type_ == known:
            return name
    match type_:
        case Filled():
            return _said(type_.type)
        case Named() | Record():
            return f"[{type_.name}](#{type_.name.replace(' ', '-')})"
        case Choice():
            return " / ".join(f"`{value}`" for value in type_.values)
        case ListOf():
            return f"{_said(type_.item)}, or a list of them" if type_.one else f"list: {_said(type_.item)}"
        case MapOf():
            return f"mapping: {type_.what} to {_said(type_.value)}"
        case OneOf():
            return " or ".join(_said(option) for option in type_.options)
    return type_.expected


def _default(field: Field) -> str:
    if field.default is REQUIRED:
        return "required"
    if field.shown_default is not None:
        return _cell(field.shown_default)
    if isinstance(field.default, bool):
        return f"`{str(field.default).lower()}`"
    if field.default in (None, "", ()):
        return ""
    return f"`{field.default}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _heads() -> Iterator[str]:
    yield "## `templates/<name>.<channel>.liquid`\n"
    yield "Liquid. The head, lines `Name: value` up to the first empty one, is for the channel:\n"
    yield "| channel | header | meaning |\n|---|---|---|"
    for channel, headers in ((name, channel.headers or {}) for name, channel in CHANNELS.items()):
        for name, meaning in headers.items():
            yield f"| {channel} | `{name.title().replace('_', '-')}` | {_cell(meaning)} |"
    yield ""


def _functions() -> Iterator[str]:
    yield "## Functions of expressions\n\n| function | takes | gives | meaning |\n|---|---|---|---|"
    for name, function in FUNCTIONS.items():
        takes = ", ".join(function.takes)
        yield f"| `{name}` | {takes}: {function.count()} | {function.gives} | {_cell(function.about)} |"
    yield f"| `{COUPON}` | the name of a pool in quotes | string | a code of its own for the message; alone in `data` |"
    for name, (_, _, about) in PROGRESS.items():
        yield f"| `{name}` | the id of a message of the journey | boolean | {_cell(about)} |"
    yield ""
