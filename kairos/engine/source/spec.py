"""What sources.yaml says of one source. Pure data."""

from __future__ import annotations

import msgspec


class EventSchema(msgspec.Struct, frozen=True):
    """prop -> type (expression.scope.PROP_TYPES); `required` is a subset of the props."""

    props: dict[str, str]
    required: tuple[str, ...] = ()


class Source(msgspec.Struct, frozen=True):
    """`mapping`: envelope field -> path in the native JSON ("props": "*" takes all); None: lines are envelopes.
    `time_unit` of a number there: s, ms, us or ns."""

    name: str
    events: dict[str, EventSchema]
    enabled: bool = True
    identity: str | dict[str, str] = "user_id"
    mapping: dict[str, str] | None = None
    time_unit: str = "ms"
