"""What people who know other tools write as the value of a key -> how it is written here. Data, for messages."""

from __future__ import annotations

import re

from kairos.engine.metric.aggregates import AGGREGATES
from kairos.engine.rule.fields.hints.concepts import CONCEPTS
from kairos.engine.rule.fields.types import Record
from kairos.engine.rule.text.nodes import Node

_ANY = r"(?s).*"
_HOURS = (
    'the hours stand in policy.yaml, quiet_hours: {from: "22:00", to: "08:00"}; an activity says hold, drop or ignore'
)
_CHANNEL = "an entry of `send` for each channel, tried in order"
_CAPS = "caps are defined in policy.yaml and only named here: caps: [name]"
_Rows = tuple[tuple[str, str, str], ...]
_EVENTS: _Rows = (
    ("text", r"(?P<name>\w+)\s*[<>=]=?\s*[0-9]+", "how often is `times`: {count: %s, times: 3}"),
    ("text", r"(?i)not\s+(?P<name>\w+)", "`absent: %s` is what must not happen"),
    ("text", r"\w+(\s*[,|;]\s*|\s+(or|and)\s+)\w+.*", "several stand in brackets: [a, b]"),
)
_PROPS: _Rows = (
    ("text", r"(?!event\.)\w+\.(?P<name>\w+)", "the prop alone, %s, and its event in `of`"),
    ("text", r"[a-z]\w* *[*/+(-].*", "one prop; what is worked out from several is sent with the event"),
)
_DATES: _Rows = (
    ("text", r"(?i)(now|today|tomorrow|yesterday|next|in |\+).*", "a date is written out: 2026-11-01T00:00"),
    ("text", r"[0-9]{9,13}", "a date is written out: 2026-11-01T00:00"),
)
_USUAL: dict[str, _Rows] = {
    "once": (
        ("text", r"1", "once: ever, or with its unit: 1d"),
        ("text", r"(?i)true|yes|once|(per|each|by)[ _]?user|user", "once: ever"),
        ("text", r"(?i)(1 ?(/|x|per|a) ?|(once )?(per|a|each|every)[ _]?)?day|daily|calendar", "once: 1d"),
        ("text", r"(?i)(1 ?(/|x|per|a) ?|(once )?(per|a|each|every)[ _]?)?week|weekly", "once: 7d"),
        ("text", r"(?i)false|no|off", "`once: occurrence`, which is the default, bounds nothing"),
    ),
    "quiet_hours": (
        ("text", r"(?i)true|yes|on", "did you mean 'hold'? The hours stand in policy.yaml"),
        ("text", r"(?i)false|no|off|null", "did you mean 'ignore'? A policy without quiet hours leaves them out"),
        ("text", r".*[0-9].*", _HOURS),
        ("mapping", _ANY, _HOURS),
    ),
    "budget": (("text", r"[0-9].*", "it counts messages: `budget: {sends: 1000}`"),),
    "caps": (("text", r"(?i)none|no|off|false|~|null", "`caps: []` opts out"), ("mapping", _ANY, _CAPS)),
    "channel": (
        ("list", _ANY, _CHANNEL),
        ("text", r".*[,;+/|&].*", _CHANNEL),
        ("text", r"(?i)whatsapp|telegram|line|viber|slack|rcs|voice|call",
         "a service that is not among them is reached by `webhook`"),
    ),
    "priority": (("text", r"(?i)[a-z]+", "0 to 100, the higher goes first"),),
    "within": (("mapping", _ANY, "written in one word: 2h, 1h30m, 7d"), ("list", _ANY, "without brackets: 2h")),
    "timezone": (
        ("text", r"(?i)(the )?(user|profile|local|recipient|customer)\b.*",
         "the user's own zone is the field timezone of the profile; this one stands in where it has none"),
        ("text", r"(?i)z|zulu|gmt ?[+-]? ?0+", "did you mean 'UTC'?"),
        ("text", r"[0-9]{1,2}|\(.*", "a zone is a place, not an offset: for example Asia/Shanghai"),
    ),
    "trigger": (
        ("text", r"[^\s:]+", "`trigger: {event: %s}`"),
        ("text", r"\S+ .+", CONCEPTS["cron"]),
        ("list", _ANY, "`trigger: {event: name}`, or its steps below `pattern`"),
    ),
    "event": _EVENTS, "absent": _EVENTS, "not_next": _EVENTS, "of": _EVENTS,
    "count": (("text", r"[0-9]+", "`count` names the event and `times` says how often"), *_EVENTS),
    "times": (("text", r"(>=?|at least|min\.?) *(?P<name>[1-9][0-9]*)", "at least so often is {min: %s}"),
              ("text", r"(?P<name>[1-9][0-9]*) *(\+|or more|x)", "at least so often is {min: %s}"),
              ("text", r"[a-z]+", "a number: 3, or {min: 2, max: 5}")),
    **{name: _PROPS for name, kind in AGGREGATES.items() if kind.reads != "events" and kind.keeps != "value"},
    "weight": (("text", r"(?P<name>[0-9.]+) *%", "a number without %: %s"),),
    "on_exceed": (("text", r"(?i)(retry|hold|wait|later|delay).*", "on_exceed: {retry_for: 24h}"),),
    "from": _DATES, "until": _DATES,
    "goal": (("text", r"[^\s:]+", "`goal: {event: %s, within: 7d}`"),),
    "audience": (("text", r"(?i)all|everyone|everybody|\*", "leave it out: without conditions it is everybody"),
                 ("text", r"[^\s:]+", "`audience: {in: [%s]}`"), ("list", _ANY, "`audience: {in: [..]}`")),
    "send": (("text", r"\w+", "`send: [{channel: %s, template: name}]`"),),
    "active": (("text", r".+", "`active: {from: 2026-11-01T00:00, until: 2026-12-01T00:00}`"),),
    "limits": (("list", _ANY, "keys below it, without dashes: `once: 7d`"),),
    "where": (
        ("list", _ANY, "one expression, joined by `and`: a > 1 and b == 2"),
    ),
    "template": (
        ("text", r"(?:.*/)?(?P<name>[a-z][a-z0-9_]*)(?:\.[A-Za-z0-9_]+)+",
         "the name alone: %s; the channel is said beside it"),
        ("text", r".*/(?P<name>[a-z][a-z0-9_]*)", "the name alone: %s"),
    ),
}  # fmt: skip
"""Key -> kind of value, pattern of its text, hint; `%s` is the text, or its `name`."""


def value_hint(name: str, node: Node) -> str | None:
    """What is meant by this value of the key `name`, which is not one of its values."""
    kind = node.kind if node.kind in ("mapping", "list") else "text"
    for of, pattern, hint in _USUAL.get(name, ()):
        if of == kind and (found := re.fullmatch(pattern, node.text.strip())):
            meant = found.groupdict().get("name") or node.text.strip()
            return hint.replace("%s", meant[:60])
    return None


def list_hint(node: Node) -> str | None:
    """Of what stands where a list is wanted."""
    if node.kind == "mapping" and node.entries:
        return f"each entry of a list begins with a dash: `- {node.entries[0][0].text[:60]}: ...`"
    return None


def record_hint(node: Node, type_: Record) -> str | None:
    """Of what stands where these keys are wanted."""
    if node.kind == "list" and node.items and node.items[0].kind == "mapping":
        return "its keys stand below it without dashes"
    if node.kind == "list" and type_.field("members"):
        return "users by name are {members: [..]}"
    if node.is_scalar and type_.field("where") and re.search(r"[<>=]|\bin\b", node.text):
        return "a condition is {where: ...}"
    return None
