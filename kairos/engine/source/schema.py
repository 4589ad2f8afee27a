"""Events against sources.yaml: known source and type, required props there, declared props of their type.

Props that are not declared are kept as they are. A declared prop may be null unless it is required: null is no value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from kairos.engine.event import (
    CATALOG_ITEM,
    CONTROLS,
    KAIROS,
    OF_SOURCES,
    OWN,
    PUBLISHED,
    RECEIPT,
    Event,
    EventError,
    unit_hint,
)
from kairos.engine.iso_time import parse_time
from kairos.engine.source.spec import EventSchema, Source

_Prop = tuple[str, str, Callable[[Any], bool], bool]  # name, type, its test, required


def check_of(sources: Mapping[str, Source] | None) -> Callable[[Event], None]:
    """The check of what the sources may send; None: any event whose type is not one of Kairos' own."""
    return refuse_reserved if sources is None else SchemaChecker(sources).check


def refuse_reserved(event: Event) -> None:
    """Raises EventError `reserved_type` for what only Kairos can say, unless it is Kairos that says it."""
    if event.type.startswith(OWN) and event.type not in OF_SOURCES and not _is_published(event):
        raise EventError("reserved_type", f"'{event.type}' is not for sources to send")


def _is_published(event: Event) -> bool:
    """Items of catalogs are told by Kairos and by sources."""
    if event.type == CATALOG_ITEM:
        return event.source == KAIROS
    return event.type in (*PUBLISHED, *CONTROLS) and event.source in ("", KAIROS)


_MOST_NAMED = 5
"""Sources that a refusal names."""


class SchemaChecker:
    """One instance serves all events. `sources`: name -> source."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = dict(sources)
        self._instead = _instead(sources)
        self._schemas: dict[tuple[str, str], tuple[_Prop, ...]] = {
            (name, event_type): _compiled(schema)
            for name, source in sources.items()
            if source.enabled
            for event_type, schema in source.events.items()
        }

    def check(self, event: Event) -> None:
        """Raises EventError: `unknown_source`, `disabled_source`, `unknown_type`, `reserved_type`, `missing_prop` or
        `wrong_type`.

        A receipt passes, whatever its source, and what Kairos says itself: nobody needs to declare it.
        """
        schema = self._schemas.get((event.source, event.type))
        if schema is None:
            if event.type == RECEIPT or _is_published(event):
                return
            refuse_reserved(event)
            raise self._stranger(event)
        props = event.props
        for name, type_, fits, required in schema:
            value = props.get(name)
            if value is None:
                if required:
                    raise EventError("missing_prop", f"'{name}' is required in {event.type} of '{event.source}'")
            elif not fits(value):
                must = f"'{name}' must be {SAID[type_]} in {event.type} of '{event.source}'"
                raise EventError("wrong_type", must + mistaken_unit(type_, value))

    def _stranger(self, event: Event) -> EventError:
        source = self._sources.get(event.source)
        if source is None:
            if not event.source:
                return EventError("unknown_source", "'source' is missing; sources.yaml says which there are")
            return EventError("unknown_source", f"source '{event.source}' is not declared{self._instead}")
        if not source.enabled:
            return EventError("disabled_source", f"source '{event.source}' is disabled")
        return EventError("unknown_type", f"source '{event.source}' declares no event type '{event.type}'")


def _instead(sources: Iterable[str]) -> str:
    names = sorted(sources)
    more = ", ..." if len(names) > _MOST_NAMED else ""
    return f"; sources.yaml has {', '.join(names[:_MOST_NAMED])}{more}" if names else ""


def _compiled(schema: EventSchema) -> tuple[_Prop, ...]:
    return tuple((name, type_, FITS[type_], name in schema.required) for name, type_ in schema.props.items())


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _is_integer(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


def _is_time(value: Any) -> bool:
    """Epoch ms or ISO 8601 with an offset."""
    if type(value) is int:
        return not unit_hint(value)
    return isinstance(value, str) and parse_time(value) is not None


def mistaken_unit(type_: str, value: Any) -> str:
    """A hint for a value that is no time because it counts in another unit; "" for any other."""
    return unit_hint(value) if type_ == "time" and type(value) is int else ""


def _is_date(value: Any) -> bool:
    """`YYYY-MM-DD`."""
    if not isinstance(value, str) or len(value) != len("2026-11-02") or value[4] != "-" or not value.isascii():
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


FITS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": _is_integer,
    "boolean": lambda value: isinstance(value, bool),
    "time": _is_time,
    "date": _is_date,
    "list": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
SAID = {
    "string": "text",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "time": "epoch milliseconds or ISO 8601 with an offset",
    "date": "a date such as 2026-11-02",
    "list": "a list",
    "object": "an object",
}
