"""From bytes to an event: every reason for which a line is refused, and what is just odd."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kairos.engine.event import Event, EventError, decode
from kairos.engine.iso_time import parse_time
from kairos.engine.strict_json import MAX_BYTES

BASE = {
    "id": "e1",
    "type": "order",
    "user_id": "u1",
    "time": 1_763_778_000_000,
    "source": "shop",
    "props": {"amount": 80},
}
EVENT = Event("e1", "order", 1_763_778_000_000, "shop", {"amount": 80}, "u1")


def line(**changes: Any) -> bytes:
    """The good line with fields changed; a field of `...` is left out."""
    return json.dumps({name: value for name, value in (BASE | changes).items() if value is not ...}).encode()


def amount(raw: bytes) -> bytes:
    """The good line with these bytes where the amount was."""
    return line().replace(b'"amount": 80', b'"amount": ' + raw)


def refused(raw: bytes) -> EventError:
    with pytest.raises(EventError) as error:
        decode(raw)
    return error.value


def test_a_line() -> None:
    assert decode(line()) == EVENT
    assert EVENT.order == (1_763_778_000_000, "shop", 0, "e1")


def test_an_ordinal_goes_before_the_id() -> None:
    first, second = decode(line(id="b", seq=1)), decode(line(id="a", seq=2))
    assert first.order < second.order
    assert decode(line(seq=0)) == EVENT


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not_json"),
        (b"rubbish", "not_json"),
        (b"[1]", "not_json"),
        (b'"text"', "not_json"),
        (b"null", "not_json"),
        (line()[:-1], "not_json"),
        (line() + b"}", "not_json"),
        (line() + b"\x00", "not_json"),
        (line()[:20] + b"\x00" + line()[20:], "not_json"),
        (amount(b"NaN"), "not_json"),
        (amount(b"-Infinity"), "not_json"),
        (amount(b"080"), "not_json"),
        (amount(b"80,"), "not_json"),
        (amount(b'"\xff"'), "not_json"),
        (amount(b'"\\ud800"'), "not_json"),
        (amount(b'"\xed\xa0\x80"'), "not_json"),
        (amount(b'"\t"'), "not_json"),
        (amount(b"1e400"), "number_range"),
        (amount(b"9223372036854775808"), "number_range"),
        (amount(b"[-9223372036854775809]"), "number_range"),
        (amount(b"9" * 5_000), "number_range"),
        (amount(b'80, "amount": 81'), "duplicate_key"),
        (amount(b'80, "\\u0061mount": 81'), "duplicate_key"),
        (amount(b'{"a": {"b": 1, "b": 1}}'), "duplicate_key"),
        (line().replace(b"{", b'{"id": "e0", ', 1), "duplicate_key"),
        (line(props={"a": ":" * 20}).replace(b'"a"', b'"a": 1, "a"'), "duplicate_key"),
        (amount(b"[" * 49 + b"]" * 49), "too_deep"),
        (amount(b"[" * 100_000), "too_deep"),
        (amount(b'{"a":' * 100_000), "too_deep"),
        (b" " * MAX_BYTES + line(), "too_large"),
        (line(id=...), "bad_field"),
        (line(id=5), "bad_field"),
        (line(id=""), "bad_field"),
        (line(id=None), "bad_field"),
        (line(type=["order"]), "bad_field"),
        (line(type=""), "bad_field"),
        (line(type=...), "bad_field"),
        (line(user_id={"id": "u1"}), "bad_field"),
        (line(user_id=True), "bad_field"),
        (line(user_id=...), "bad_field"),
        (line(source=None), "bad_field"),
        (line(source=["shop"]), "bad_field"),
        (line(source=""), "bad_field"),
        (line(id="x" * 257), "bad_field"),
        (line(id="é" * 129), "bad_field"),
        (line(user_id="x" * 257), "bad_field"),
        (line(user_id="\U0001f600" * 65), "bad_field"),
        (line(type="x" * 129), "bad_field"),
        (line(source="订" * 43), "bad_field"),
        (line(type="receipt", id="x" * 257), "bad_field"),
        (line(seq=-1), "bad_field"),
        (line(seq=1.0), "bad_field"),
        (line(seq=True), "bad_field"),
        (line(seq="1"), "bad_field"),
        (line(seq=None), "bad_field"),
        (line(seq=2**63), "number_range"),
        (line(props=[]), "bad_field"),
        (line(props=None), "bad_field"),
        (line(props="amount=80"), "bad_field"),
        (line(time=...), "bad_time"),
        (line(time=None), "bad_time"),
        (line(time=True), "bad_time"),
        (line(time=1_763_778_000_000.0), "bad_time"),
        (line(time="1763778000000"), "bad_time"),
        (line(time="2025-11-22T10:20:00"), "bad_time"),
        (line(time="2025-02-30T10:20:00Z"), "bad_time"),
        (line(time=0), "bad_time"),
        (line(time=-1), "bad_time"),
        (line(time=631_151_999_999), "bad_time"),
        (line(time=4_102_444_800_001), "bad_time"),
        (line(time="1989-12-31T23:59:59Z"), "bad_time"),
        (line(type="receipt", id=""), "bad_field"),
        (line(type="receipt", id=5), "bad_field"),
    ],
)
def test_what_is_refused(raw: bytes, reason: str) -> None:
    error = refused(raw)
    assert error.reason == reason
    assert error.message


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (1_763_778_000, "seconds taken for milliseconds"),
        (1_763_778_000_000_000, "microseconds taken for milliseconds"),
        (1_763_778_000_000_000_000, "nanoseconds taken for milliseconds"),
    ],
)
def test_another_unit_is_named(time: int, said: str) -> None:
    assert said in refused(line(time=time)).message


@pytest.mark.parametrize(
    ("raw", "props"),
    [
        (line() + b"\r\n", {"amount": 80}),
        (b"\xef\xbb\xbf" + line(), {"amount": 80}),
        (line(props=...), {}),
        (line(extra={"deep": [1, {"a": 2}]}, at=5), {"amount": 80}),
        (line(props={"url": "http://a:80/", "k:v": 1}), {"url": "http://a:80/", "k:v": 1}),
        (line(props={"t": "é\u2028\x85\n:\\"}), {"t": "é\u2028\x85\n:\\"}),
        (line(props={"a": [{"b": 1}, {"b": 2}]}), {"a": [{"b": 1}, {"b": 2}]}),
        (line(props={"x": 2**63 - 1, "y": -(2**63)}), {"x": 2**63 - 1, "y": -(2**63)}),
        (line(props={"x": 1.0, "y": True, "z": None}), {"x": 1.0, "y": True, "z": None}),
        (amount(b'"\\ud83d\\ude00\\u003a"'), {"amount": "\U0001f600:"}),
        (amount(b'"\\u0000"'), {"amount": "\x00"}),
        (amount(b"[" * 48 + b"]" * 48), None),
    ],
)
def test_what_is_odd_and_taken(raw: bytes, props: dict[str, Any] | None) -> None:
    event = decode(raw)
    assert (event.id, event.time) == ("e1", EVENT.time)
    assert props is None or repr(event.props) == repr(props)


def test_texts_of_just_the_largest_size() -> None:
    event = decode(line(id="é" * 128, user_id="\U0001f600" * 64, type="x" * 128, source="订" * 42))
    assert [len(text.encode()) for text in (event.id, event.user_id, event.type, event.source)] == [256, 256, 128, 126]


def test_a_refusal_says_the_size_and_not_the_text() -> None:
    said = refused(line(type="x" * 900_000)).message
    assert said == "'type' has 900,000 bytes; at most 128 are taken"


def test_a_line_of_just_the_largest_size() -> None:
    raw = line(props={"a": ""})
    full = raw.replace(b'""', b'"' + b"x" * (MAX_BYTES - len(raw)) + b'"')
    assert len(decode(full).props["a"]) == MAX_BYTES - len(raw)
    assert refused(full + b" ").reason == "too_large"


def test_a_receipt_needs_no_id_and_no_source() -> None:
    event = decode(line(type="receipt", id=..., source=...))
    assert (event.id, event.source) == ("", "")


@pytest.mark.parametrize(
    "text",
    [
        "2025-11-22T02:20:00Z", "2025-11-22T10:20:00+08:00", "2025-11-21T21:20:00.000-05:00", "2025-11-22t02:20:00z",
        "2025-11-22 02:20:00+00:00", "2025-11-22T02:20Z", "2025-11-22T10:20:00+0800", "2025-11-22T10:20:00,000999+08",
        "20251122T022000Z",
    ],
)  # fmt: skip
def test_one_instant_in_many_words(text: str) -> None:
    assert decode(line(time=text)) == EVENT
    assert parse_time(text) == EVENT.time


@pytest.mark.parametrize(
    "text",
    ["", "now", "2025-11-22", "2025-11-22T02:20:00", "2025-W47-6T02:20:00Z", "2025-11-22T25:20:00Z", "2025-11-22T02Z",
     "2025-11-22T02:20:00+99:00", "٢٠٢٥-11-22T02:20:00Z", "2025-11-22T02:20:00.Z", "2025-11-22T02:20:00Z" + "0" * 99],
)  # fmt: skip
def test_what_is_no_time(text: str) -> None:
    assert parse_time(text) is None


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1969-12-31T23:59:59.999Z", -1),
        ("1970-01-01T00:00:00.0019Z", 1),
        ("0001-01-01T00:00:00+23:59", -62_135_683_140_000),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139_000),
    ],
)
def test_times_at_the_edges(text: str, ms: int) -> None:
    assert parse_time(text) == ms
