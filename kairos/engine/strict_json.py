"""Strict JSON for lines of events: bounded in size, depth and numbers. A refusal names its reason."""

from __future__ import annotations

import json
from typing import Any

import msgspec

MAX_BYTES = 1_000_000
MAX_LEVELS = 50
LOWEST, HIGHEST = -(2**63), 2**63 - 1
"""Of integers: in events, expressions, metrics and records."""
_BOM = b"\xef\xbb\xbf"
_decode_untyped = msgspec.json.Decoder().decode


class EventError(Exception):
    """A line that is not an event. `reason` names its counter and dead letter; `message` is for people.

    Reasons of `decode`: `too_large`, `not_json`, `too_deep`, `duplicate_key`, `number_range`, `bad_field`, `bad_time`.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def document_of(line: bytes) -> dict[str, Any]:
    """One strict JSON object within the limits, whatever its fields. Raises EventError."""
    if len(line) > MAX_BYTES:
        raise EventError("too_large", f"{len(line)} bytes; at most {MAX_BYTES} are taken")
    document = _strict_json(line.removeprefix(_BOM))
    if not isinstance(document, dict):
        raise EventError("not_json", f"a JSON object is expected, not {kind_of(document)}")
    return document


def _strict_json(line: bytes) -> Any:
    """RFC 8259, and further no duplicate keys, at most 50 levels, integers of 64 bits, numbers that a double holds."""
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
    """How many colons the value has as JSON: one for each member, and those inside texts. `level`: of nesting, from 1.

    Raises EventError for what is too deep or out of range.
    """
    if isinstance(value, str):
        return value.count(":")
    if isinstance(value, int):
        if not LOWEST <= value <= HIGHEST:
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
    """Raises EventError where a key of one object occurs twice."""
    if len({key for key, _ in pairs}) != len(pairs):
        raise EventError("duplicate_key", "a key occurs twice in the same object")


_KINDS = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}


def kind_of(value: Any) -> str:
    """The kind of a JSON value, for messages."""
    return _KINDS.get(type(value), "null")
