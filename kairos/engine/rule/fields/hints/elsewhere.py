"""Where else a key is declared: for the message about one that stands a level too high or too low."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from kairos.engine.rule.fields.activity import ACTIVITY
from kairos.engine.rule.fields.crowds import CROWDS
from kairos.engine.rule.fields.examples import EXAMPLES
from kairos.engine.rule.fields.journey import JOURNEY
from kairos.engine.rule.fields.metrics import METRICS
from kairos.engine.rule.fields.policy import POLICY
from kairos.engine.rule.fields.sources import SOURCES
from kairos.engine.rule.fields.types import ListOf, MapOf, OneOf, Record, Type
from kairos.engine.rule.text.nodes import Node
from kairos.engine.rule.text.report import listed

_FILES: tuple[Type, ...] = (ACTIVITY, JOURNEY, EXAMPLES, POLICY, METRICS, CROWDS, SOURCES)


def home_of(key: str, value: Node, record: Record) -> str | None:
    """In words, where in the same file the key belongs; None where it is unknown there, too, or means something that
    this value cannot say."""
    for file in _FILES:
        places = _places(file)
        if record in places.values():
            homes = {path: other for path, other in places.items() if other is not record and _takes(other, key, value)}
            return _said(key, record, homes) if homes else None
    return None


def is_of_activity(record: Record) -> bool:
    return record in (*_places(ACTIVITY).values(), *_places(JOURNEY).values())


def _takes(record: Record, key: str, value: Node) -> bool:
    field = record.field(key)
    return field is not None and (value.kind == "mapping" or not isinstance(field.type, Record))


def _said(key: str, record: Record, homes: dict[str, Record]) -> str:
    if "" in homes:
        return f"`{key}` belongs to the file itself, at its left margin: indent it less"
    below = [path for path, home in homes.items() if _holds(record, path.split(" of ")[0].split("[")[0], home)]
    if below:
        return f"`{key}` belongs to {listed(f'`{path}`' for path in below)}: indent it below that"
    return f"`{key}` belongs to {listed(f'`{path}`' for path in list(homes)[:3])}"


def _holds(record: Record, name: str, home: Record) -> bool:
    field = record.field(name)
    return field is not None and any(inner is home for _, inner in _records(field.type, ""))


@cache
def _places(file: Type) -> dict[str, Record]:
    return dict(_records(file, ""))


def _records(type_: Type, path: str) -> Iterator[tuple[str, Record]]:
    """Each record with its path, outermost first: `limits`, `pattern of trigger`. What refers to itself is left out.

    A field `of` holds what its record is of, and is no place of its own: `send of variants`.
    """
    match type_:
        case Record():
            yield path, type_
            for field in type_.fields:
                inner = f"{field.name} of {path}" if path else field.name
                yield from _records(field.type, path if field.name == "of" and path else inner)
        case MapOf():
            yield from _records(type_.value, path)
        case ListOf():
            yield from _records(type_.item, path)
        case OneOf():
            for option in type_.options:
                yield from _records(option, path)
