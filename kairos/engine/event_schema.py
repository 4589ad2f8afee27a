"""Events against sources.yaml: known source and type, required props there, declared props of their type.

Props that are not declared are kept as they are. A declared prop may be null unless it is required: null is no value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Protocol

from kairos.engine.event import RECEIPT, Event, EventError, parse_time


class EventSchemaLike(Protocol):
    """`kairos.engine.rule.model.EventSchema`: prop -> type, and which of them are required."""

    @property
    def props(self) -> Mapping[str, str]: ...
    @property
    def required(self) -> tuple[str, ...]: ...


class SourceLike(Protocol):
    """`kairos.engine.rule.model.Source`."""

    @property
    def enabled(self) -> bool: ...
    @property
    def events(self) -> Mapping[str, Any]: ...


_Prop = tuple[str, str, Callable[[Any], bool], bool]  # name, type, its test, required


class SchemaChecker:
    """One instance serves all events. `sources`: name -> source."""

    def __init__(self, sources: Mapping[str, SourceLike]) -> None:
        self._sources = dict(sources)
        self._schemas: dict[tuple[str, str], tuple[_Prop, ...]] = {
            (name, event_type): _compiled(schema)
            for name, source in sources.items()
            if source.enabled
            for event_type, schema in source.events.items()
        }

    def check(self, event: Event) -> None:
        """Raises EventError: `unknown_source`, `disabled_source`, `unknown_type`, `missing_prop` or `wrong_type`.

        A receipt passes, whatever its source: nobody needs to declare it.
        """
        schema = self._schemas.get((event.source, event.type))
        if schema is None:
            if event.type == RECEIPT:
                return
            raise self._stranger(event)
        props = event.props
        for name, type_, fits, required in schema:
            value = props.get(name)
            if value is None:
                if required:
                    raise EventError("missing_prop", f"'{name}' is required in {event.type} of '{event.source}'")
            elif not fits(value):
                raise EventError("wrong_type", f"'{name}' must be {SAID[type_]} in {event.type} of '{event.source}'")

    def _stranger(self, event: Event) -> EventError:
        source = self._sources.get(event.source)
        if source is None:
            if not event.source:
                return EventError("unknown_source", "'source' is missing; sources.yaml says which there are")
            return EventError("unknown_source", f"source '{event.source}' is not declared")
        if not source.enabled:
            return EventError("disabled_source", f"source '{event.source}' is disabled")
        return EventError("unknown_type", f"source '{event.source}' declares no event type '{event.type}'")


def _compiled(schema: EventSchemaLike) -> tuple[_Prop, ...]:
    return tuple((name, type_, FITS[type_], name in schema.required) for name, type_ in schema.props.items())


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _is_integer(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


def _is_time(value: Any) -> bool:
    """Epoch ms or ISO 8601 with an offset."""
    return type(value) is int or (isinstance(value, str) and parse_time(value) is not None)


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
