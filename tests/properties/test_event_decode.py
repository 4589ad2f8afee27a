"""`decode` against the json module, slowly and strictly: the fast path may not take what the slow one would refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.event import Event, EventError, decode
from kairos.engine.iso_time import parse_any_time, parse_time

TEXTS = ["a", "a:b", ":", '"', "\\", "{", "}", "é", "\U0001f600", "", "::", "x" * 20]
LONG = [unit * count for unit in ("x", "é", "\U0001f600") for count in (32, 33, 64, 65, 128, 129, 256, 257)]
texts = st.sampled_from(TEXTS) | st.text(max_size=4).filter(lambda text: text.isascii())
numbers = st.one_of(
    st.integers(-5, 5), st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**30]),
    st.floats(allow_nan=False, allow_infinity=False),
)  # fmt: skip

SECONDS = ["2025-11-22T10:20:00", "2025-11-22T10:20:01", "1989-12-31T23:30:00", "2099-12-31T23:30:00"]
RESTS = [
    "Z",
    "+08:00",
    "-0100",
    "-01",
    ".123Z",
    ".12Z",
    ".12Z5",
    ".123456Z",
    ".123456-01:00",
    ".1234567+0800",
    ".1+0:00",
]
TIMES = [second + rest for second in SECONDS for rest in RESTS]
"""The last seconds are on both sides of what an event may have, by their offset."""


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
        ("id", draw(texts | texts | st.sampled_from(LONG))),
        ("type", draw(st.sampled_from(["order", "receipt", "a:b", *LONG]))),
        ("user_id", draw(texts | texts | st.sampled_from(LONG))),
        ("time", draw(st.sampled_from([1_763_778_000_000, 1_763_778_000, 1.5, True, *TIMES]))),
        ("source", draw(texts | texts | st.sampled_from(LONG))),
        ("props", draw(flat | flat | values)),
    ]
    names = st.sampled_from(["id", "extra", "props", "time", "merged", "seq"])
    fields += draw(st.lists(st.tuples(names, values), max_size=1))
    fields += draw(st.sampled_from([[], [], [("seq", 0)], [("seq", 7)], [("seq", -1)]]))
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
    optional = {"source", "id"} if receipt else {"source"}
    for field, most in {"type": 128, "user_id": 256, "id": 256, "source": 128}.items():
        text = document.get(field)
        if field in optional and field not in document:
            continue
        if not isinstance(text, str) or not text or len(text.encode()) > most:
            return None
    props, source, time = document.get("props", {}), document.get("source", ""), document.get("time")
    seq = document.get("seq", 0)
    if not isinstance(props, dict) or type(seq) is not int or seq < 0:
        return None
    if isinstance(time, str):
        time = parse_any_time(time)
    if type(time) is not int or not 631_152_000_000 <= time <= 4_102_444_800_000:
        return None
    merged = document.get("merged", False)
    if not isinstance(merged, bool):
        return None
    return Event(document.get("id", ""), document["type"], time, source, props, document["user_id"], merged, seq)


@settings(max_examples=1500)
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


@settings(max_examples=500)
@given(st.binary(max_size=60) | lines().flatmap(lambda line: st.integers(0, len(line)).map(lambda end: line[:end])))
def test_any_bytes_are_an_event_or_an_event_error(line: bytes) -> None:
    try:
        event = decode(line)
    except EventError:
        return
    assert event.type
    assert event.user_id


@st.composite
def time_texts(draw: st.DrawFn) -> str:
    """Texts that are times, and texts that nearly are."""
    day = draw(st.sampled_from(["2026-11-02", "20261102", "2026-02-30", "1990-01-01"]))
    clock = draw(
        st.sampled_from(["12:00", "120000", "12:00:07", "23:59:60", "12:00:0", "1200", "24:00:00", "12:00:٠٧"])
    )
    fraction = draw(st.sampled_from(["", ".1", ".123", ",123", ".1239", ".999999999", ".12a", ".123.456"]))
    zone = draw(st.sampled_from(["Z", "z", "+08:00", "-0330", "+08", "", "+25:00", "+08:30:15", "+8"]))
    return day + draw(st.sampled_from("Tt _")) + clock + fraction + zone


OTHER_FORMS = [
    "20261102T120000.123.5Z", "20261102T1200+08:00", "20261102T1200+08:00.5Z", "2026-11-02T12:00+08",
    "2026-11-02T12:00Z", "2026-11-02T12:00:07.12Z5", "2026-11-02T12:00:07.1+08:00", "0001-01-01T00:00:00+08:00",
    "2026-11-02T12:00:07.1+0:00", "2026-11-02T12:00:07.123456+08:00", f"2026-11-02T12:00:07.{'1' * 50}Z",
]  # fmt: skip


@settings(max_examples=1500)
@given(time_texts() | st.sampled_from(OTHER_FORMS))
def test_a_time_whose_parts_are_known_is_what_it_is_by_itself(text: str) -> None:
    """The second time as at first."""
    assert [parse_time(text), parse_time(text)] == [parse_any_time(text)] * 2
