"""The event envelope: what every source is normalised to.

`docs/events.md` describes the wire format. `decode` is the only way from bytes to an `Event`, in the job, in
`kairos simulate` and in the access layer alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Annotated, Any

import msgspec

from kairos.engine.iso_time import FIRST_TIME as FIRST_TIME  # they are those of events, too
from kairos.engine.iso_time import LAST_TIME as LAST_TIME
from kairos.engine.iso_time import (
    LONGEST,
    MICROSECONDS,
    parse_time,
    rests,
    seconds,
    tails,
    thousandths,
    time_and_colons,
)  # fmt: skip
from kairos.engine.strict_json import HIGHEST, LOWEST, MAX_BYTES, document_of, kind_of
from kairos.engine.strict_json import EventError as EventError  # it belongs to `decode`, too

RECEIPT = "receipt"
TIME_UNITS = {"s": Fraction(1000), "ms": Fraction(1), "us": Fraction(1, 1000), "ns": Fraction(1, 1_000_000)}
"""What a source may count its time in -> milliseconds."""
OWN = ("message.", "crowd.", "schedule.", "catalog.", "consent.", "journey.", "kairos.")
"""What types begin with that say what Kairos itself did."""
CONSENT_CHANGED = "consent.changed"
CATALOG_ITEM = "catalog.item"
"""What an item of a catalog is. Its `user_id` makes nobody known."""
OF_SOURCES = (CONSENT_CHANGED, CATALOG_ITEM)
"""Those of them that sources may send."""
MESSAGE_EVENTS = tuple(f"message.{what}" for what in ("sent", "delivered", "read", "clicked", "failed", "goal"))
"""What the engine itself sees happen: no record says it."""
DUE = "schedule.due"
CROWD_ENTERED, CROWD_LEFT = "crowd.entered", "crowd.left"
CATALOG_CHANGED = "catalog.changed"
PUBLISHED = (CROWD_ENTERED, CROWD_LEFT, DUE, CATALOG_CHANGED)
"""What other processes of Kairos tell the job, in the topic `events.kairos`."""
FORGET, LOOK = "kairos.forget", "kairos.look"
CONTROLS = (FORGET, LOOK)
"""What other processes tell the job to do about a user, in the same topic; no rule hears of it: to forget all that is
kept, or to look at somebody inside a journey that was edited, before their next event."""
OWN_TYPES = (*MESSAGE_EVENTS, *PUBLISHED, *OF_SOURCES)
KAIROS = "kairos"
"""The source of Kairos' own events."""
JOURNEY_STEP = "journey.step"
"""What the engine tells itself of somebody inside a journey: what became of a message, or that they have entered."""
END_OF_TIME = 2**62
"""Later than any event (ms)."""
MAX_ID = 256
"""Bytes of UTF-8 that `id` and `user_id` may have: they are keys, and stand in every record."""
MAX_NAME = 128
"""Bytes of UTF-8 that `type` and `source` may have."""


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One thing that a user did.

    `time` is event time in epoch milliseconds. `source` is "" where there is no sources.yaml and the line names none;
    `id` is "" only for a receipt without one. `merged`: it happened before anybody knew whose it was, and was told
    afterwards; it feeds metrics and undoes absences, and takes part in nothing else. `seq`: among events of one source
    and one time the order in which they came, where their door knew it. Events kept inside a user's state carry an
    empty `user_id` (the state belongs to one user) and only the props that some expression reads.
    """

    id: str
    type: str
    time: int
    source: str
    props: dict[str, Any]
    user_id: str = ""
    merged: bool = False
    seq: int = 0

    @property
    def order(self) -> tuple[int, str, int, str]:
        """Equal times keep a fixed order."""
        return (self.time, self.source, self.seq, self.id)


_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID // 4)]  # in characters, of four bytes at most
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME // 4)]
_Integer = Annotated[int, msgspec.Meta(ge=LOWEST, le=HIGHEST)]


_LEVELS = 6
"""Of lists and objects in a prop: what is deeper takes the slow way."""


def _of_levels(levels: int) -> Any:
    """The type of a prop's value with at most so many levels."""
    scalar = str | _Integer | float | bool | None
    if not levels:
        return scalar
    inner = _of_levels(levels - 1)
    return scalar | list[inner] | dict[str, inner]  # type: ignore[valid-type]


class _Plain(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """What nearly every line looks like: short texts, and props of a few levels. The rest: `_decode_any`.

    What is at its default was not in the line: no line that is taken says "", and 0 and false take the slow way.
    """

    id: _Id
    type: _Name
    user_id: _Id
    time: Annotated[int, msgspec.Meta(ge=FIRST_TIME, le=LAST_TIME)] | Annotated[str, msgspec.Meta(max_length=LONGEST)]
    props: dict[str, _of_levels(_LEVELS)]  # type: ignore[valid-type]
    source: _Name = ""
    seq: Annotated[int, msgspec.Meta(ge=0, le=HIGHEST)] = 0
    merged: bool = False


_BACKSLASH = ord("\\")
_PLAIN_FIELDS = 5
"""Those that every plain line has."""
_WITH_SOURCE = _PLAIN_FIELDS + 1
_decode_plain = msgspec.json.Decoder(_Plain).decode
_encode = msgspec.json.Encoder().encode
_hidden_colon = re.compile(rb"\\u003[aA]").search


def decode(line: bytes) -> Event:
    """One line of JSON -> Event. Raises EventError for everything that is not one, and nothing else.

    The colons of a valid document are one for each member (those overwritten by a later duplicate included) and those
    inside texts. Where all colons of the line are accounted for by what was decoded, there can be no duplicate, and no
    need to look closer: the fast path is exact. So what accounts for many of them, or is cheap to count, comes first.
    A colon that is written as an escape is not among the line's; such lines take the slow way.
    """
    if len(line) > MAX_BYTES:
        return _decode_any(line)
    try:
        plain = _decode_plain(line)
    except (ValueError, RecursionError):  # msgspec's errors and UnicodeDecodeError are ValueErrors
        return _decode_any(line)
    time, props, source = plain.time, plain.props, plain.source
    more = line.count(b":") - len(props) - (_WITH_SOURCE if source else _PLAIN_FIELDS)
    if not more and not isinstance(time, str):
        return Event(plain.id, plain.type, time, source, props, plain.user_id)
    if _BACKSLASH in line and _hidden_colon(line):
        return _decode_any(line)
    if isinstance(time, str):
        text = time
        try:  # as `parse_time`: a call costs a tenth of all
            if len(text) in MICROSECONDS:
                later, colons = tails[text[23:]]
                time = seconds[text[:19]] + thousandths[text[19:23]] + later
            else:
                later, colons = rests[text[19:]]
                time = seconds[text[:19]] + later
        except KeyError:
            found = time_and_colons(text)
            if found is None or not FIRST_TIME <= found[0] <= LAST_TIME:
                return _decode_any(line)
            time, colons = found
        more -= colons
        if not more:
            return Event(plain.id, plain.type, time, source, props, plain.user_id)
    if ":" in plain.id or ":" in plain.user_id:
        more -= plain.id.count(":") + plain.user_id.count(":")
    if seq := plain.seq:
        more -= 1
    if merged := plain.merged:
        more -= 1
    if more > len(props) and more == _members_within(props):
        more = 0
    if more:
        more -= _encode(props).count(b":") - len(props)
        if more and more != plain.type.count(":") + source.count(":"):
            return _decode_any(line)
    return Event(plain.id, plain.type, time, source, props, plain.user_id, merged, seq)


def _members_within(props: Mapping[str, Any]) -> int:
    """Those of the objects in props and in lists in props, as an order has them."""
    members = 0
    for value in props.values():
        if isinstance(value, dict):
            members += len(value)
        elif isinstance(value, list):
            for each in value:
                if isinstance(each, dict):
                    members += len(each)
    return members


def _decode_any(line: bytes) -> Event:
    """The definition of what a valid line is, and of what the message says."""
    return event_of(document_of(line))


def event_of(document: Mapping[str, Any]) -> Event:
    """Envelope fields -> Event. Raises EventError; fields that the envelope does not have are left out."""
    event_type = _text(document, "type")
    receipt = event_type == RECEIPT
    props = document.get("props", {})
    if not isinstance(props, dict):
        raise EventError("bad_field", f"'props' must be an object, not {kind_of(props)}")
    source = _text(document, "source") if "source" in document else ""
    seq = document.get("seq", 0)
    if type(seq) is not int or seq < 0:
        raise EventError("bad_field", f"'seq' must be an integer from 0, not {kind_of(seq)}")
    merged = document.get("merged", False)
    if not isinstance(merged, bool):
        raise EventError("bad_field", f"'merged' must be true or false, not {kind_of(merged)}")
    event_id = "" if receipt and "id" not in document else _text(document, "id")
    return Event(event_id, event_type, _time(document), source, props, _text(document, "user_id"), merged, seq)


_MOST_BYTES = {"id": MAX_ID, "user_id": MAX_ID, "type": MAX_NAME, "source": MAX_NAME}


def _text(document: Mapping[str, Any], field: str) -> str:
    if field not in document:
        raise EventError("bad_field", f"'{field}' is missing")
    value = document[field]
    if not isinstance(value, str):
        raise EventError("bad_field", f"'{field}' must be text, not {kind_of(value)}")
    if not value:
        raise EventError("bad_field", f"'{field}' must not be empty")
    size = len(value.encode("utf-8", "surrogatepass"))
    if size > _MOST_BYTES[field]:
        raise EventError("bad_field", f"'{field}' has {size:,} bytes; at most {_MOST_BYTES[field]} are taken")
    return value


def _time(document: Mapping[str, Any]) -> int:
    if "time" not in document:
        raise EventError("bad_time", "'time' is missing")
    value = document["time"]
    time = parse_time(value) if isinstance(value, str) else value
    if type(time) is not int:
        said = "this text" if isinstance(value, str) else kind_of(value)
        expected = "integer epoch milliseconds or ISO 8601 with an offset (2026-11-02T12:00:00+08:00)"
        raise EventError("bad_time", f"'time' must be {expected}, not {said}")
    if not FIRST_TIME <= time <= LAST_TIME:
        raise EventError("bad_time", f"'time' must be from 1990 to 2100{unit_hint(time)}")
    return time


def unit_hint(time: int) -> str:
    """Names the usual mistake: another unit than milliseconds. Empty where the number looks like none of them."""
    if FIRST_TIME <= time * 1000 <= LAST_TIME:
        return "; this looks like seconds taken for milliseconds"
    for unit, factor in (("microseconds", 1000), ("nanoseconds", 1_000_000)):
        if FIRST_TIME <= time // factor <= LAST_TIME:
            return f"; this looks like {unit} taken for milliseconds"
    return ""
