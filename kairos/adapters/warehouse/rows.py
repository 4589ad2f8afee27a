"""What is read, as rows of the tables: values in the order of the columns that `tables.py` declares.

A reader takes a line of a file, or the value of a record in Kafka. It raises EventError for what does not belong there,
and gives nothing for what is meant for the job alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

from kairos.adapters.delivery.ledger import Call
from kairos.engine.channel import ADDRESSES
from kairos.engine.event import CATALOG_ITEM, CONTROLS, FIRST_TIME, LAST_TIME, RECEIPT, Event, EventError, decode
from kairos.engine.rule.model import Activity
from kairos.engine.rule.release import activity_version
from kairos.engine.warehouse.tables import DECISIONS, EVENTS, RECEIPTS, Column, DecisionLine, Table

Row = tuple[Any, ...]
Reader = Callable[[bytes], tuple[Table, Row] | None]
"""None: nothing of it is kept."""
_T = TypeVar("_T")


_FIELDS = {"at_ms": "at"}
_UNSAID = {"BIGINT": 1, "BOOLEAN": False}
"""What a field means that appears only when set: the first attempt, and no."""

_decision = msgspec.json.Decoder(DecisionLine).decode
_encode = msgspec.json.Encoder().encode


def event_reader(check: Callable[[Event], None] | None) -> Reader:
    """Receipts may stand among events, as in the files that `simulate` plays. `check`: against sources.yaml. What an
    item of a catalog is, is of no user, and not kept: whoever is in `events` is somebody who is known."""

    def read(line: bytes) -> tuple[Table, Row] | None:
        event = decode(line)
        if check is not None:
            check(event)
        if event.type == CATALOG_ITEM or event.type in CONTROLS:
            return None
        if event.type == RECEIPT:
            return _receipt(event)
        props = _encode(event.props).decode()
        return EVENTS, (event.user_id, event.source, event.type, event.id, event.time, props, event.merged, False)

    return read


def read_receipt(line: bytes) -> tuple[Table, Row] | None:
    receipt = decode(line)
    if receipt.type != RECEIPT:
        raise EventError("not_a_receipt", f"not a receipt, but an event '{receipt.type}'")
    return _receipt(receipt)


def _receipt(receipt: Event) -> tuple[Table, Row] | None:
    """A receipt of which nobody can say what it is about is none. Of a shadow there was no message."""
    props = receipt.props
    if props.get("shadow") is True:
        return None
    return RECEIPTS, (
        _prop(props, "activity", str),
        receipt.user_id,
        _prop(props, "occurrence", str, ""),
        _prop(props, "attempt", int, 1),
        _prop(props, "status", str),
        receipt.time,
        _prop(props, "channel", str, None),
        _prop(props, "reason", str, None),
        _prop(props, "segments", int, 1),
    )


def read_decision(line: bytes) -> tuple[Table, Row]:
    try:
        record = _decision(line)
    except (ValueError, RecursionError) as error:
        raise EventError("not_a_decision", f"not a decision: {error}") from None
    if not FIRST_TIME <= record.at <= LAST_TIME:
        raise EventError("bad_time", "'at' must be from 1990 to 2100, in epoch milliseconds")
    return DECISIONS, tuple(_cell(record, column) for column in DECISIONS.columns)


def _cell(record: DecisionLine, column: Column) -> Any:
    value = getattr(record, _FIELDS.get(column.name, column.name))
    if column.json:
        return _json(value)
    return _UNSAID.get(column.type) if value is msgspec.UNSET else value


def call_row(call: Call, channel: str | None) -> Row:
    return (call.key, call.number, channel, call.outcome, call.started_at, call.ended_at, None)


def activity_row(activity: Activity) -> Row:
    """What a version of an activity means to those who measure it."""
    return (
        activity.name,
        activity_version(activity),
        activity.title,
        activity.owner,
        activity.theme or None,
        _json(activity.goal),
        _json(activity.worth.cost) if activity.worth else None,
        _json(activity.audience.control),
        _json({variant.name: variant.weight for variant in activity.variants}),
        activity.name,
        activity.plan.plan if activity.plan else None,
    )


def hashed(address: Any) -> str:
    """32 hex digits: one address can be told from another, and not be written to."""
    return hashlib.blake2b(str(address).encode("utf-8"), digest_size=16).hexdigest()


def without_addresses(profile: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: hashed(value) if name in ADDRESSES else value for name, value in profile.items()}
    if isinstance(dead := fields.get("dead_addresses"), list):
        fields["dead_addresses"] = [hashed(address) for address in dead]
    return fields


def _json(value: Any) -> str | None:
    return None if value is msgspec.UNSET or value is None else _encode(value).decode()


def _prop(props: Mapping[str, Any], name: str, kind: type[_T], default: Any = msgspec.UNSET) -> Any:
    value = props.get(name)
    if value is None and default is not msgspec.UNSET:
        return default
    if type(value) is not kind or value == "":
        expected = "text" if kind is str else "an integer"
        raise EventError("bad_field", f"a receipt's '{name}' must be {expected}")
    return value
