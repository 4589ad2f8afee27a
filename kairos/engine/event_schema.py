"""Does an event keep what its source promises in sources.yaml?"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from kairos.engine.event import RECEIPT, Event, EventError, parse_time
from kairos.engine.rule.model import EventSchema, Source

Test = Callable[[Any], bool]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _is_number(value: Any) -> bool:
    return type(value) is int or type(value) is float


def _is_integer(value: Any) -> bool:
    return type(value) is int or (type(value) is float and value.is_integer())


def _is_time(value: Any) -> bool:
    return type(value) is int or (type(value) is str and parse_time(value) is not None)


def _is_date(value: Any) -> bool:
    if type(value) is not str or not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


# what the prop must be: the test, and how a message says it
_TYPES: dict[str, tuple[Test, str]] = {
    "string": (lambda value: type(value) is str, "text"),
    "number": (_is_number, "a number"),
    "integer": (_is_integer, "a whole number"),
    "boolean": (lambda value: type(value) is bool, "true or false"),
    "time": (_is_time, "a time (epoch milliseconds, or ISO 8601 with an offset)"),
    "date": (_is_date, "a date such as 2026-11-02"),
    "list": (lambda value: type(value) is list, "a list"),
    "object": (lambda value: type(value) is dict, "an object"),
}


class SchemaChecker:
    """`sources` None: there is no sources.yaml, and every event passes. Receipts are no source's, and pass."""

    def __init__(self, sources: Mapping[str, Source] | None) -> None:
        self._sources = sources
        self._props = {
            (source.name, event_type): [
                (name, *_TYPES[kind], name in schema.required) for name, kind in _ordered(schema)
            ]
            for source in (sources or {}).values()
            if source.enabled
            for event_type, schema in source.events.items()
        }

    def check(self, event: Event) -> None:
        """Raises EventError, reasons `unknown_source`, `source_off`, `unknown_type`, `missing_prop`, `bad_prop`.

        A null counts as a missing prop. Props that are not declared may be anything.
        """
        if self._sources is None:
            return
        declared = self._props.get((event.source, event.type))
        if declared is None:
            if event.type == RECEIPT:
                return
            raise self._unknown(self._sources, event)
        props = event.props
        for name, fits, expected, required in declared:
            value = props.get(name)
            if value is None:
                if required:
                    raise EventError("missing_prop", f"'{name}' of {event.type} is missing")
            elif not fits(value):
                raise EventError("bad_prop", f"'{name}' of {event.type} must be {expected}")

    @staticmethod
    def _unknown(sources: Mapping[str, Source], event: Event) -> EventError:
        if not event.source:
            return EventError("unknown_source", "'source' is missing")
        source = sources.get(event.source)
        if source is None:
            return EventError(
                "unknown_source", f"there is no source {_said(event.source)}; there are {', '.join(sources)}"
            )
        if not source.enabled:
            return EventError("source_off", f"the source {event.source} is switched off")
        return EventError("unknown_type", f"the source {event.source} declares no event {_said(event.type)}")


def _ordered(schema: EventSchema) -> list[tuple[str, str]]:
    """Required props first: what is missing says more than what is wrong."""
    return sorted(schema.props.items(), key=lambda prop: prop[0] not in schema.required)


def _said(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:59] + "…")
