"""How large a record may be that is written out: Kafka refuses what is larger, again and again, and all behind it.

A decision that is too large is cut, and says so: it is told to people and programs that want to know what was decided.
A message is never cut (`operators/outlet.py`): half a text must not reach anybody.
"""

from __future__ import annotations

from typing import Any

import msgspec

from kairos.engine.decision import Record

MOST_BYTES = 1_000_000
"""Of a record's value. Kafka's own limit (`message.max.bytes`) is 1,048,588 with key and overhead."""
MARK = "…"
"""Stands where something was left out."""
_LENGTHS = (10_000, 1_000, 100, 10)

_encode = msgspec.json.Encoder().encode


def encode_record(record: Record) -> bytes:
    """JSON, at most `MOST_BYTES`: long texts and lists become shorter until it fits, and `cut` is true."""
    value = _encode(record)
    for length in _LENGTHS:
        if len(value) <= MOST_BYTES:
            return value
        value = _encode(_shortened(record, length))
    if len(value) <= MOST_BYTES:
        return value
    return _encode(msgspec.structs.replace(record, steps={}, data={}, value=msgspec.UNSET, cut=True))


def _shortened(record: Record, length: int) -> Record:
    steps = {name: _shorter(ids, length) for name, ids in record.steps.items()}
    data, value = _shorter(record.data, length), _shorter(record.value, length)
    return msgspec.structs.replace(record, steps=steps, data=data, value=value, cut=True)


def _shorter(value: Any, length: int) -> Any:
    """Of texts the first characters, of lists and objects the first elements."""
    if isinstance(value, str):
        return value if len(value) <= length else value[:length] + MARK
    if isinstance(value, list):
        first = [_shorter(element, length) for element in value[:length]]
        return first if len(value) <= length else [*first, MARK]
    if isinstance(value, dict):
        first_fields = {_shorter(name, length): _shorter(value[name], length) for name in list(value)[:length]}
        return first_fields if len(value) <= length else {**first_fields, MARK: MARK}
    return value
