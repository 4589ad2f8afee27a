"""The tables of the warehouse, declared once: the loader, both engines and docs/warehouse.md read them here."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

from kairos.engine.decision import Record

Type = Literal["VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN"]
"""As both engines call them. A time is BIGINT (epoch ms)."""


class Column(NamedTuple):
    """`json`: the text is JSON, without spaces between its parts."""

    name: str
    type: Type
    about: str
    json: bool = False


class Table(NamedTuple):
    """`key`: no two rows agree in these columns. `time`: the column whose day (UTC) is the partition `dt`; None: the
    table has no partitions. `typed`: further columns follow from what is loaded, as those of profile.yaml do."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    time: str | None = None
    typed: bool = False

    @property
    def types(self) -> dict[str, Type]:
        return {column.name: column.type for column in self.columns}


PARTITION = "dt"
"""Name of the partition column, a DATE."""

EVENTS = Table(
    "events",
    ("user_id", "source", "type", "id"),
    (
        Column("user_id", "VARCHAR", "who"),
        Column("source", "VARCHAR", 'who sent the event; "" where there are no sources'),
        Column("type", "VARCHAR", "what happened"),
        Column("id", "VARCHAR", "unique within source, type and user"),
        Column("time_ms", "BIGINT", "when it happened"),
        Column("props", "VARCHAR", "what the source told of it", json=True),
        Column("merged", "BOOLEAN", "it happened before anybody knew whose it was"),
        Column("late", "BOOLEAN", "it came after the decisions of its time were made"),
    ),
    time="time_ms",
)

_DECISION_KEY = ("activity", "user_id", "occurrence", "attempt", "outcome")
_DECISION_ABOUT = {
    "activity": "its name",
    "user_id": "about whom",
    "occurrence": "which match of the pattern",
    "attempt": "1, and more with fallbacks",
    "outcome": "send, match, hold, suppress, control, goal or regret",
    "at_ms": "event time of the decision",
    "version": "of the activity; `activities` says what it meant",
    "variant": "which one was drawn",
    "template": "what the message is made of",
    "reason": "of a hold or a suppression",
    "channel": "by which way",
    "steps": "step -> ids of its events",
    "data": "what the rule computed, without addresses",
    "value": "what a goal was worth",
    "degraded": "decided without a profile, because none could be had",
    "after_end": "of a simulation, later than the last event that is known",
    "cause": "what cancelled it",
    "cut": "it was too large, and is not whole",
    "crowds": "kept crowds that were asked -> the number of the snapshot that answered",
    "choice": "how the variant or the activity was chosen",
    "rollout": "under a version that only a share of users has",
    "shadow": "decided beside the real decisions, to compare; nothing was sent",
}


class DecisionLine(Record):
    """A decision as it may stand in a file: `choice` is of jobs that choose."""

    choice: Any = msgspec.UNSET


def _decision_columns() -> Iterator[Column]:
    """One for each field of the record, those of the key first."""
    kinds = get_type_hints(DecisionLine)
    fields = {"at_ms" if name == "at" else name: kinds[name] for name in DecisionLine.__struct_fields__}
    for name in sorted(fields, key=lambda name: name not in _DECISION_KEY):
        kind = fields[name]
        parts = get_args(kind) if get_origin(kind) in (UnionType, Union, Literal) else (kind,)
        type_: Type = "BOOLEAN" if bool in parts else "BIGINT" if int in parts else "VARCHAR"
        is_json = not any(part in (str, int, bool) or isinstance(part, str) for part in parts)
        yield Column(name, type_, _DECISION_ABOUT.get(name, name), json=is_json)


DECISIONS = Table("decisions", (*_DECISION_KEY, "shadow"), tuple(_decision_columns()), time="at_ms")

RECEIPTS = Table(
    "receipts",
    ("activity", "user_id", "occurrence", "attempt", "status"),
    (
        Column("activity", "VARCHAR", "its name"),
        Column("user_id", "VARCHAR", "whose message"),
        Column("occurrence", "VARCHAR", 'of which occurrence; "" where the receipt does not say'),
        Column("attempt", "BIGINT", "of which attempt; 1 where the receipt does not say"),
        Column("status", "VARCHAR", "sent, delivered, read, clicked, unknown, failed, expired, released, ..."),
        Column("time_ms", "BIGINT", "when"),
        Column("channel", "VARCHAR", "by which way"),
        Column("reason", "VARCHAR", "why nothing came of it"),
        Column("segments", "BIGINT", "parts of a text message that were charged; 1 where the receipt does not say"),
    ),
    time="time_ms",
)

CALLS = Table(
    "calls",
    ("key", "number"),
    (
        Column("key", "VARCHAR", "of the ledger: follows from activity, user, occurrence and attempt"),
        Column("number", "BIGINT", "which call for this key, from 1"),
        Column("channel", "VARCHAR", "to whose provider"),
        Column("outcome", "VARCHAR", "accepted, retry, rejected, ...; null: nobody lived to write it"),
        Column("started_ms", "BIGINT", "when, by the worker's clock"),
        Column("ended_ms", "BIGINT", "when"),
        Column("segments", "BIGINT", "parts of a text message that were charged, where the ledger knows"),
    ),
    time="started_ms",
)

PROFILES = Table(
    "profiles",
    ("user_id",),
    (Column("user_id", "VARCHAR", "who"),),
    typed=True,
)

ACTIVITIES = Table(
    "activities",
    ("activity", "version"),
    (
        Column("activity", "VARCHAR", "its name"),
        Column("version", "VARCHAR", "as in `decisions`"),
        Column("title", "VARCHAR", "for people"),
        Column("owner", "VARCHAR", "who answers for it"),
        Column("theme", "VARCHAR", "what it belongs to"),
        Column("goal", "VARCHAR", "events, within (ms), where, value; null: none", json=True),
        Column("costs", "VARCHAR", "what its messages cost, where it says so itself", json=True),
        Column("control", "VARCHAR", "the share of its control group, or the crowd that is it; null: none", json=True),
        Column("variants", "VARCHAR", "name -> weight", json=True),
        Column("salt", "VARCHAR", "what the arms are drawn with"),
        Column("plan", "VARCHAR", "the entry of the plan library that it was made from"),
    ),
)

CROWD_MEMBERS = Table(
    "crowd_members",
    ("crowd", "user_id", "from_n"),
    (
        Column("crowd", "VARCHAR", "its name"),
        Column("user_id", "VARCHAR", "who"),
        Column("from_n", "BIGINT", "the snapshot with which membership began"),
        Column("to_n", "BIGINT", "the snapshot with which it ended; null: it lasts"),
    ),
)

SCORES = Table(
    "scores",
    ("score", "user_id"),
    (
        Column("score", "VARCHAR", "its name"),
        Column("user_id", "VARCHAR", "whose"),
        Column("value", "DOUBLE", "the score"),
        Column("as_of_ms", "BIGINT", "what was known then"),
        Column("reasons", "VARCHAR", "why, where the model can say: a list of texts", json=True),
    ),
)

CROWD_BUILDS = Table(
    "crowd_builds",
    ("crowd", "number"),
    (
        Column("crowd", "VARCHAR", "its name"),
        Column("number", "BIGINT", "which attempt, from 1"),
        Column("n", "BIGINT", "the snapshot that it became; null: it was refused"),
        Column("as_of_ms", "BIGINT", "what was known then"),
        Column("at_ms", "BIGINT", "when it was seen by everybody, or refused"),
        Column("size", "BIGINT", "how many members it had"),
        Column("added", "BIGINT", "who were not in the snapshot before"),
        Column("removed", "BIGINT", "who were, and are not in this one"),
        Column("status", "VARCHAR", "live; rejected: removed, size, stale or empty; failed: why"),
    ),
)

TABLES = {
    t.name: t for t in (EVENTS, DECISIONS, RECEIPTS, CALLS, PROFILES, ACTIVITIES, CROWD_MEMBERS, CROWD_BUILDS, SCORES)
}


def described() -> str:
    """The tables for people, in Markdown, as docs/warehouse.md has them."""
    parts = []
    for table in TABLES.values():
        days = f"; by day of `{table.time}`" if table.time else ""
        lines = [
            f"### {table.name}",
            "",
            f"Key: `{' '.join(table.key)}`{days}.",
            "",
            "| column | type | |",
            "|---|---|---|",
        ]
        lines += [f"| {c.name} | {'JSON' if c.json else c.type} | {c.about} |" for c in table.columns]
        if table.typed:
            lines.append("| each field of profile.yaml | by its type | addresses hashed; lists and objects as JSON |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
