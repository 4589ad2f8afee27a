"""The event envelope: what every source is normalised to.

`docs/events.md` describes the wire format. `decode` is the only way from bytes to an `Event`, in the job, in
`kairos simulate` and in the access layer alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec

MAX_BYTES = 1_000_000
MAX_LEVELS = 50
FIRST_TIME = 631_152_000_000  # 1990-01-01T00:00Z
LAST_TIME = 4_102_444_800_000  # 2100-01-01T00:00Z
RECEIPT = "receipt"

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_BOM = b"\xef\xbb\xbf"


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One thing that a user did.

    `time` is event time in epoch milliseconds. `source` is "" where there is no sources.yaml and the line names none;
    `id` is "" only for a receipt without one. `merged`: it happened before anybody knew whose it was, and was told
    afterwards; it feeds metrics and undoes absences, and takes part in nothing else. Events kept inside a user's state
    carry an empty `user_id` (the state belongs to one user) and only the props that some expression reads.
    """

    id: str
    type: str
    time: int
    source: str
    props: dict[str, Any]
    user_id: str = ""
    merged: bool = False

    @property
    def order(self) -> tuple[int, str, str]:
        """Equal times keep a fixed order."""
        return (self.time, self.source, self.id)


class EventError(Exception):
    """A line that is not an event. `reason` names its counter and dead letter; `message` is for people.

    Reasons of `decode`: `too_large`, `not_json`, `too_deep`, `duplicate_key`, `number_range`, `bad_field`, `bad_time`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Integer = Annotated[int, msgspec.Meta(ge=_LOWEST, le=_HIGHEST)]


class _Plain(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """What nearly every line looks like: all fields, epoch time, flat props. The rest takes `_decode_any`."""

    id: _Text
    type: _Text
    user_id: _Text
    time: Annotated[int, msgspec.Meta(ge=FIRST_TIME, le=LAST_TIME)]
    source: str
    props: dict[str, str | _Integer | float | bool | None]


_PLAIN_FIELDS = len(_Plain.__struct_fields__)
_decode_plain = msgspec.json.Decoder(_Plain).decode
_decode_untyped = msgspec.json.Decoder().decode


def decode(line: bytes) -> Event:
    """One line of JSON -> Event. Raises EventError for everything that is not one, and nothing else.

    The colons of a valid document are one for each member (those overwritten by a later duplicate included) and those
    inside texts. So where there are no more colons than decoded keys (and, without escapes, decoded colons) there can
    be no duplicate, and no need to look closer: the fast path is exact.
    """
    if len(line) <= MAX_BYTES:
        try:
            plain = _decode_plain(line)
        except (ValueError, RecursionError):  # msgspec's errors and UnicodeDecodeError are ValueErrors
            return _decode_any(line)
        in_texts = line.count(b":") - _PLAIN_FIELDS - len(plain.props)
        if not in_texts or (b"\\" not in line and in_texts == _text_colons(plain)):
            return Event(plain.id, plain.type, plain.time, plain.source, plain.props, plain.user_id)
    return _decode_any(line)


def _text_colons(plain: _Plain) -> int:
    texts = [value for value in plain.props.values() if isinstance(value, str)]
    return "\n".join((plain.id, plain.type, plain.user_id, plain.source, *plain.props, *texts)).count(":")


def _decode_any(line: bytes) -> Event:
    """The definition of what a valid line is, and of what the message says."""
    return event_of(document_of(line))


def document_of(line: bytes) -> dict[str, Any]:
    """One strict JSON object within the limits, whatever its fields. Raises EventError."""
    if len(line) > MAX_BYTES:
        raise EventError("too_large", f"{len(line)} bytes; at most {MAX_BYTES} are taken")
    document = _strict_json(line.removeprefix(_BOM))
    if not isinstance(document, dict):
        raise EventError("not_json", f"a JSON object is expected, not {_kind(document)}")
    return document


def event_of(document: Mapping[str, Any]) -> Event:
    """Envelope fields -> Event. Raises EventError; fields that the envelope does not have are left out."""
    event_type = _text(document, "type")
    receipt = event_type == RECEIPT
    props = document.get("props", {})
    if not isinstance(props, dict):
        raise EventError("bad_field", f"'props' must be an object, not {_kind(props)}")
    source = document.get("source", "")
    if not isinstance(source, str):
        raise EventError("bad_field", f"'source' must be text, not {_kind(source)}")
    merged = document.get("merged", False)
    if not isinstance(merged, bool):
        raise EventError("bad_field", f"'merged' must be true or false, not {_kind(merged)}")
    event_id = "" if receipt and "id" not in document else _text(document, "id")
    return Event(event_id, event_type, _time(document), source, props, _text(document, "user_id"), merged)


def _text(document: Mapping[str, Any], field: str) -> str:
    if field not in document:
        raise EventError("bad_field", f"'{field}' is missing")
    value = document[field]
    if not isinstance(value, str):
        raise EventError("bad_field", f"'{field}' must be text, not {_kind(value)}")
    if not value:
        raise EventError("bad_field", f"'{field}' must not be empty")
    return value


def _time(document: Mapping[str, Any]) -> int:
    if "time" not in document:
        raise EventError("bad_time", "'time' is missing")
    value = document["time"]
    time = parse_time(value) if isinstance(value, str) else value
    if type(time) is not int:
        said = "this text" if isinstance(value, str) else _kind(value)
        expected = "integer epoch milliseconds or ISO 8601 with an offset (2026-11-02T12:00:00+08:00)"
        raise EventError("bad_time", f"'time' must be {expected}, not {said}")
    if not FIRST_TIME <= time <= LAST_TIME:
        raise EventError("bad_time", f"'time' must be from 1990 to 2100{_unit_hint(time)}")
    return time


def _unit_hint(time: int) -> str:
    """Names the usual mistake: another unit than milliseconds."""
    if FIRST_TIME <= time * 1000 <= LAST_TIME:
        return "; this looks like seconds taken for milliseconds"
    for unit, factor in (("microseconds", 1000), ("nanoseconds", 1_000_000)):
        if FIRST_TIME <= time // factor <= LAST_TIME:
            return f"; this looks like {unit} taken for milliseconds"
    return ""


_ISO = re.compile(
    r"[0-9]{4}(-[0-9]{2}-[0-9]{2}|[0-9]{4})[Tt ]"
    r"[0-9]{2}(:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?|[0-9]{2}([0-9]{2}([.,][0-9]+)?)?)"
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def parse_time(text: str) -> int | None:
    """ISO 8601 date and time with an offset -> epoch ms (a fraction is cut to ms); None for any other text."""
    if len(text) > 64 or not _ISO.fullmatch(text):
        return None
    try:
        moment = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return (moment - _EPOCH) // _MILLISECOND


def _strict_json(line: bytes) -> Any:
    """RFC 8259 and what we ask beyond it: no duplicate keys, 50 levels, integers of 64 bits, numbers of a double."""
    try:
        document = _decode_untyped(line)
    except RecursionError:
        raise EventError("too_deep", f"more than {MAX_LEVELS} levels") from None
    except msgspec.ValidationError as error:  # untyped, only numbers can be refused
        raise EventError("number_range", str(error)) from None
    except ValueError as error:
        raise EventError("not_json", str(error)) from None
    colons = _colons(document, 1)
    if b"\\" in line:  # an escaped colon would not be among the line's own: ask the slow parser
        json.loads(line, object_pairs_hook=_unique)
    elif colons != line.count(b":"):
        raise EventError("duplicate_key", "a key occurs twice in the same object")
    return document


def _colons(value: Any, level: int) -> int:
    """How many colons the value's JSON has. Raises EventError for what is too deep or out of range."""
    if isinstance(value, str):
        return value.count(":")
    if isinstance(value, int):
        if not _LOWEST <= value <= _HIGHEST:
            raise EventError("number_range", "an integer needs more than 64 bits")
        return 0
    if not isinstance(value, dict | list):
        return 0
    if level > MAX_LEVELS:
        raise EventError("too_deep", f"more than {MAX_LEVELS} levels")
    if isinstance(value, list):
        return sum(_colons(element, level + 1) for element in value)
    keys = len(value) + "\n".join(value).count(":")
    return keys + sum(_colons(element, level + 1) for element in value.values())


def _unique(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise EventError("duplicate_key", "a key occurs twice in the same object")


_KINDS = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}


def _kind(value: Any) -> str:
    return _KINDS.get(type(value), "null")
