"""`decode` against the json module, slowly and strictly: the fast path may not take what the slow one would refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.event import Event, EventError, decode

TEXTS = ["a", "a:b", ":", '"', "\\", "{", "}", "é", "\U0001f600", "", "::", "x" * 20]
texts = st.sampled_from(TEXTS) | st.text(max_size=4).filter(lambda text: text.isascii())
numbers = st.one_of(
    st.integers(-5, 5), st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip


class Members:
    """An object as written: members in order, keys perhaps repeated."""

    def __init__(self, members: list[tuple[str, Any]]) -> None:
        self.members = members


def written(value: Any, escape: bool) -> str:
    if isinstance(value, Members):
        return "{" + ", ".join(f"{written(key, escape)}: {written(own, escape)}" for key, own in value.members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(element, escape) for element in value) + "]"
    if isinstance(value, str) and escape:
        return '"' + "".join(f"\\u{unit:04x}" for unit in _utf16(value)) + '"'
    return json.dumps(value, ensure_ascii=False)


def _utf16(text: str) -> list[int]:
    raw = text.encode("utf-16-be")
    return [int.from_bytes(raw[index : index + 2], "big") for index in range(0, len(raw), 2)]


def members(keys: st.SearchStrategy[str], inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Members]:
    return st.lists(st.tuples(keys, inner), max_size=4).map(Members)


values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | members(st.sampled_from(["a", "b", "a:", "c"]), inner),
    max_leaves=6,
)
flat = members(st.sampled_from(["a", "b", "a:", "c", "d"]), st.none() | st.booleans() | numbers | texts)


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    fields: list[tuple[str, Any]] = [
        ("id", draw(texts)),
        ("type", draw(st.sampled_from(["order", "receipt", "a:b"]))),
        ("user_id", draw(texts)),
        ("time", draw(st.sampled_from([1_763_778_000_000, 1_763_778_000, "2025-11-22T10:20:00+08:00", 1.5, True]))),
        ("source", draw(texts)),
        ("props", draw(flat | flat | values)),
    ]
    fields += draw(st.lists(st.tuples(st.sampled_from(["id", "extra", "props", "time", "merged"]), values), max_size=1))
    if draw(st.integers(0, 3)) == 0:
        fields.pop(draw(st.integers(0, len(fields) - 1)))
    text = written(Members(draw(st.permutations(fields))), draw(st.booleans()))
    return (text + draw(st.sampled_from(["", "\r", "\n", " "]))).encode()


def strict(line: bytes) -> dict[str, Any]:
    """The json module, with everything refused that we refuse. Raises ValueError."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise ValueError("duplicate")
        return dict(pairs)

    def whole(digits: str) -> int:
        if not -(2**63) <= int(digits) < 2**63:
            raise ValueError("range")
        return int(digits)

    document = json.loads(line.decode(), object_pairs_hook=unique, parse_int=whole)
    if not isinstance(document, dict):
        raise ValueError("no object")
    return document


def envelope(document: dict[str, Any]) -> Event | None:
    """What the envelope asks, field by field."""
    receipt = document.get("type") == "receipt"
    needed = ("type", "user_id") if receipt and "id" not in document else ("type", "user_id", "id")
    if not all(isinstance(document.get(field), str) and document[field] for field in needed):
        return None
    props, source, time = document.get("props", {}), document.get("source", ""), document.get("time")
    if not isinstance(props, dict) or not isinstance(source, str):
        return None
    if time == "2025-11-22T10:20:00+08:00":
        time = 1_763_778_000_000
    if type(time) is not int or not 631_152_000_000 <= time <= 4_102_444_800_000:
        return None
    merged = document.get("merged", False)
    if not isinstance(merged, bool):
        return None
    return Event(document.get("id", ""), document["type"], time, source, props, document["user_id"], merged)


@settings(max_examples=1500, deadline=None)
@given(lines())
def test_decode_as_the_json_module_would(line: bytes) -> None:
    try:
        expected = envelope(strict(line))
    except ValueError:
        expected = None
    if expected is None:
        with pytest.raises(EventError) as refused:
            decode(line)
        assert refused.value.reason
        assert refused.value.message
    else:
        assert repr(decode(line)) == repr(expected)  # 1, 1.0 and true are three values


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=60) | lines().flatmap(lambda line: st.integers(0, len(line)).map(lambda end: line[:end])))
def test_any_bytes_are_an_event_or_an_event_error(line: bytes) -> None:
    try:
        event = decode(line)
    except EventError:
        return
    assert event.type
    assert event.user_id
