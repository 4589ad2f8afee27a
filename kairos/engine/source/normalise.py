"""What a source sends -> the envelope of `events.<source>`: mapping, limits, schema, time, the user's identity.

Pure: whoever calls looks users up and publishes. `read` makes a draft, which may lack its user; `as_arrived` gives the
drafts of one request their time and order; `envelope` makes the record's value of one. The value is always written
anew, so that nothing but what is listed in `Envelope` gets through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor
from typing import Any, NamedTuple

import msgspec

from kairos.engine.event import OF_SOURCES, OWN, RECEIPT, TIME_UNITS, Event, EventError, decode, event_of
from kairos.engine.expression.values import within
from kairos.engine.source.schema import SchemaChecker
from kairos.engine.source.spec import Source
from kairos.engine.strict_json import MAX_BYTES, document_of

AHEAD_MS = 3_600_000
"""An event further ahead of the clock is refused; one that is less far is put back (`as_arrived`)."""
BINDING = ("identify", "alias")
"""Types that say who a device, an openid or a phone belongs to."""
HEARTBEAT = "heartbeat"
MAX_CLAIM = 256
NOBODY = ("undefined", "null", "none", "nan", "[object object]")
"""What programs write who do not know their user: many people under one name. In lower case."""
MOST_TIME = 1e20
"""In any unit; no time is beyond."""
FIELDS = ("id", "type", "user_id", "time", "props")


class Claim(NamedTuple):
    """Something that may lead to a user: ("device_id", "d17")."""

    kind: str
    value: str


class Draft(msgspec.Struct, frozen=True):
    """An event that is good but for its user: `event.user_id` is "" where only `claims` lead to one.

    `claimed_time`: what the source said, where `as_arrived` has put the event back. `binds`: from now on
    the claims lead to this user. `published`: it goes to the topic; one that binds and whose type the source does not
    declare does nothing else.
    """

    event: Event
    claims: tuple[Claim, ...] = ()
    claimed_time: int | None = None
    binds: bool = False
    published: bool = True


class Refusal(msgspec.Struct, frozen=True):
    """`reason` names its counter and dead letter; `message` is for people."""

    reason: str
    message: str


class Envelope(msgspec.Struct, omit_defaults=True):
    """The record's value. `merged`: it happened before anybody knew whose it was, and is told afterwards."""

    id: str
    type: str
    user_id: str
    time: int
    source: str
    props: dict[str, Any]
    claimed_time: int | None = None
    merged: bool = False
    seq: int = 0


_encode = msgspec.json.Encoder().encode
_decode_envelope = msgspec.json.Decoder(Envelope).decode


class Normaliser:
    """One source's. `ahead`: ms."""

    def __init__(self, source: Source, ahead: int = AHEAD_MS) -> None:
        self._source = source
        self._ahead = ahead
        self._check = SchemaChecker({source.name: source}).check
        self._identity = source.identity if isinstance(source.identity, dict) else {}
        self._plain = source.mapping is None and not self._identity

    def read(self, line: bytes, now: int, beside: Mapping[str, Any] | None = None) -> Draft | Refusal:
        """One line of the source's own JSON. `now`: epoch ms. `beside`: envelope fields that came outside of the line,
        for those that neither it nor the `map` has. Never raises."""
        try:
            if self._plain and not beside:
                return self._draft(decode(line), (), now)
            return self._of(document_of(line), self._source.mapping, now, beside or {})
        except EventError as error:
            return Refusal(error.reason, error.message)

    def read_document(self, document: Mapping[str, Any], now: int, *, mapped: bool) -> Draft | Refusal:
        """The same for JSON that is decoded already. Without `mapped` it is not the source's own format, which its
        `map` is for, but one that was translated to envelope fields."""
        try:
            return self._of(document, self._source.mapping if mapped else None, now)
        except EventError as error:
            return Refusal(error.reason, error.message)

    def _of(
        self, document: Mapping[str, Any], mapping: Mapping[str, str] | None, now: int, beside: Mapping[str, Any] = {}
    ) -> Draft:
        mapped = document if mapping is None else _mapped(document, mapping, self._source.time_unit)
        fields = {**beside, **mapped}
        claims = tuple(self._claims(document, fields))
        anonymous = fields.get("user_id") is None
        if anonymous and (not claims or fields.get("type") in BINDING):
            raise self._nobody(identify=bool(claims))
        event = event_of({**fields, "user_id": "-"} if anonymous else fields)
        draft = self._draft(msgspec.structs.replace(event, user_id="") if anonymous else event, claims, now)
        decode(_whole(draft))  # mapping adds a level and moves sizes about: what leaves is measured, not what came
        return draft

    def _draft(self, event: Event, claims: tuple[Claim, ...], now: int) -> Draft:
        name = self._source.name
        if event.type in (RECEIPT, HEARTBEAT) or (event.type.startswith(OWN) and event.type not in OF_SOURCES):
            raise EventError("reserved_type", f"'{event.type}' is not for sources to send")
        if event.source not in ("", name):
            raise EventError("wrong_source", f"the event says source '{event.source}', and comes from '{name}'")
        if event.time > now + self._ahead:
            raise EventError("future", f"'time' is more than {self._ahead // 60_000} minutes ahead of the clock")
        if event.user_id.lower() in NOBODY:
            raise EventError("bad_field", f"'user_id' is '{event.user_id}': whoever sends it does not know its user")
        taken = Event(event.id, event.type, event.time, name, event.props, event.user_id)
        binds = bool(claims) and event.type in BINDING
        declared = event.type in self._source.events
        if declared or not binds:
            self._check(taken)
        return Draft(taken, claims, None, binds, declared)

    def _claims(self, document: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Claim]:
        """In the order of the source's `identity`: each stands in the document itself, or else in the props."""
        props = fields.get("props")
        found = []
        for kind in self._identity:
            value = _text(document.get(kind, props.get(kind) if isinstance(props, dict) else None))
            if not isinstance(value, str) or not value or value.lower() in NOBODY:
                continue
            if len(value) > MAX_CLAIM:
                raise EventError("bad_field", f"'{kind}' has more than {MAX_CLAIM} characters")
            found.append(Claim(kind, value))
        return found

    def _nobody(self, identify: bool) -> EventError:
        if identify:
            return EventError("bad_field", "'user_id' is missing: the event is to say whose the rest is")
        if not self._identity:
            return EventError("bad_field", "'user_id' is missing")
        known = ", ".join(f"'{kind}'" for kind in self._identity)
        return EventError("no_identity", f"nothing says who it was: neither 'user_id' nor {known} is there")


def as_arrived(drafts: Sequence[Draft], now: int, first: int) -> list[Draft]:
    """Of one request, in its order: none ahead of the clock, and each with its `seq`.

    Those ahead are put back together, so that the latest is `now` and distances stay, and with them those that they
    would overtake. `first`: when the first one came, epoch microseconds; each further one counts as one later. `seq` is
    how long after its time an event came, so events of one time are in the order in which they came.
    """
    back = max((draft.event.time for draft in drafts), default=now) - now
    earliest = now
    for time in sorted({draft.event.time for draft in drafts}, reverse=True) if back > 0 else ():
        if time < earliest:
            break
        earliest = time - back
    return [_arrived(draft, back if back > 0 and draft.event.time - back >= earliest else 0, came)
            for came, draft in enumerate(drafts, first)]  # fmt: skip


def _arrived(draft: Draft, back: int, came: int) -> Draft:
    """`back`: ms. `came`: epoch microseconds."""
    time = draft.event.time - back
    event = msgspec.structs.replace(draft.event, time=time, seq=came - time * 1000)
    return msgspec.structs.replace(draft, event=event, claimed_time=draft.event.time if back else draft.claimed_time)


def envelope(draft: Draft, user_id: str, *, merged: bool = False) -> bytes | Refusal:
    """The record's value, which with all its fields may be too large by now."""
    value = _encode(_envelope(draft, user_id, merged))
    if len(value) > MAX_BYTES:
        return Refusal("too_large", f"{len(value)} bytes with all its fields; at most {MAX_BYTES} are taken")
    return value


def to_wait(draft: Draft) -> bytes:
    """An anonymous draft as it is kept until somebody says whose it is."""
    return _encode(_envelope(draft, "", merged=False))


def after_waiting(kept: bytes) -> Draft:
    """What `to_wait` wrote. Raises ValueError for anything else."""
    found = _decode_envelope(kept)
    event = Event(found.id, found.type, found.time, found.source, found.props, seq=found.seq)
    return Draft(event, (), found.claimed_time)


def _whole(draft: Draft) -> bytes:
    return _encode(_envelope(draft, draft.event.user_id or "-", merged=False))


def _envelope(draft: Draft, user_id: str, merged: bool) -> Envelope:
    event = draft.event
    return Envelope(
        event.id, event.type, user_id, event.time, event.source, event.props, draft.claimed_time, merged, event.seq
    )


def _mapped(document: Mapping[str, Any], mapping: Mapping[str, str], unit: str) -> dict[str, Any]:
    """Fields that `map` does not name are taken from where an envelope has them. `unit`: of the time."""
    fields = {name: document[name] for name in FIELDS if name in document and name not in mapping}
    for name, path in mapping.items():
        value = dict(document) if path == "*" else within(document, path.split("."))
        if value is not None:
            fields[name] = _text(value) if name in ("id", "type", "user_id") else value
        elif name in ("id", "type", "time"):
            reason = "bad_time" if name == "time" else "bad_field"
            raise EventError(reason, f"'{name}' is missing: there is nothing at '{path}'")
    if unit != "ms" and type(fields.get("time")) in (int, float) and "time" in mapping:
        fields["time"] = _milliseconds(fields["time"], unit)
    return fields


def _milliseconds(time: float, unit: str) -> Any:
    """Cut to ms, but rounded where a double stands for it. As it is where it is no time at all."""
    if not abs(time) < MOST_TIME:
        return time
    exact = Fraction(time) * TIME_UNITS[unit]
    return round(exact) if isinstance(time, float) else floor(exact)


def _text(value: Any) -> Any:
    """An integer as text; everything else as it is."""
    return str(value) if type(value) is int else value
