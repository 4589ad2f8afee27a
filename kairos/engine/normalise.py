"""What a source sends -> the envelope of `events.<source>`: mapping, limits, schema, time, the user's identity.

Pure: whoever calls looks users up and publishes. `read` makes a draft, which may lack its user; `envelope` makes the
record's value of it. The value is always written anew, so that nothing but what is listed in `Envelope` gets through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from kairos.engine.event import MAX_BYTES, RECEIPT, Event, EventError, decode, document_of, event_of
from kairos.engine.event_schema import SchemaChecker
from kairos.engine.rule.model import Source

AHEAD_MS = 3_600_000
"""An event further ahead of the clock is refused; one that is less far gets the clock's time."""
BINDING = ("identify", "alias")
"""Types that say who a device, an openid or a phone belongs to."""
HEARTBEAT = "heartbeat"
MAX_CLAIM = 256
MAX_USER = 1_000
"""Characters. A user id is a record's key, a claim part of one in Redis."""
FIELDS = ("id", "type", "user_id", "time", "props")


class Claim(NamedTuple):
    """Something that may lead to a user: ("device_id", "d17")."""

    kind: str
    value: str


class Draft(msgspec.Struct, frozen=True):
    """An event that is good but for its user: `event.user_id` is "" where only `claims` lead to one.

    `event.time` is never ahead of the clock; `claimed_time`: what the source said, where it was. `binds`: from now on
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
        fields = {**beside, **(document if mapping is None else _mapped(document, mapping))}
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
        if event.type in (RECEIPT, HEARTBEAT):
            raise EventError("reserved_type", f"'{event.type}' is not for sources to send")
        if event.source not in ("", name):
            raise EventError("wrong_source", f"the event says source '{event.source}', and comes from '{name}'")
        if event.time > now + self._ahead:
            raise EventError("future", f"'time' is more than {self._ahead // 60_000} minutes ahead of the clock")
        if len(event.user_id) > MAX_USER:
            raise EventError("bad_field", f"'user_id' has more than {MAX_USER} characters")
        taken = Event(event.id, event.type, min(event.time, now), name, event.props, event.user_id)
        binds = bool(claims) and event.type in BINDING
        declared = event.type in self._source.events
        if declared or not binds:
            self._check(taken)
        return Draft(taken, claims, event.time if event.time > now else None, binds, declared)

    def _claims(self, document: Mapping[str, Any], fields: Mapping[str, Any]) -> list[Claim]:
        """In the order of the source's `identity`: each stands in the document itself, or else in the props."""
        props = fields.get("props")
        found = []
        for kind in self._identity:
            value = _text(document.get(kind, props.get(kind) if isinstance(props, dict) else None))
            if not isinstance(value, str) or not value:
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
    return Draft(Event(found.id, found.type, found.time, found.source, found.props), (), found.claimed_time)


def _whole(draft: Draft) -> bytes:
    return _encode(_envelope(draft, draft.event.user_id or "-", merged=False))


def _envelope(draft: Draft, user_id: str, merged: bool) -> Envelope:
    event = draft.event
    return Envelope(event.id, event.type, user_id, event.time, event.source, event.props, draft.claimed_time, merged)


def _mapped(document: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """Fields that `map` does not name are taken from where an envelope has them."""
    fields = {name: document[name] for name in FIELDS if name in document and name not in mapping}
    for name, path in mapping.items():
        value = dict(document) if path == "*" else _at(document, path)
        if value is not None:
            fields[name] = _text(value) if name in ("id", "type", "user_id") else value
        elif name in ("id", "type", "time"):
            reason = "bad_time" if name == "time" else "bad_field"
            raise EventError(reason, f"'{name}' is missing: there is nothing at '{path}'")
    return fields


def _at(document: Any, path: str) -> Any:
    """What lies under the path's keys (of a list: positions from 0); None: nothing."""
    for key in path.split("."):
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.isdecimal() and key.isascii() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


def _text(value: Any) -> Any:
    """An integer as text; everything else as it is."""
    return str(value) if type(value) is int else value
