"""A dead letter carries what was read, as far as it can."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from kairos.engine.dead_letter import MOST_BYTES, cut, dead_letter


def letter(value: bytes, limit: int = 100) -> dict[str, Any]:
    return msgspec.json.decode(dead_letter("not_json", "why", "events.shop/1@7", 5, "u1", value, limit))


def test_text_is_kept_as_it_was() -> None:
    assert letter('{"a": "é'.encode()) == {
        "reason": "not_json",
        "message": "why",
        "origin": "events.shop/1@7",
        "ts": 5,
        "key": "u1",
        "value": '{"a": "é',
        "size": 9,
    }


@pytest.mark.parametrize(
    ("value", "fields"),
    [
        (b"\x01" * 990_000, None),
        (b'"' * 990_000, None),
        (b"\xff" * 990_000, None),
        (b"{}", {"props": {"a": "x" * 1_100_000}}),
        (b"", {"props": {"a": "x" * 1_100_000}}),
    ],
)
def test_no_letter_is_larger_than_kafka_takes(value: bytes, fields: dict[str, Any] | None) -> None:
    written = dead_letter("bad_field", "why " * 300_000, "o" * 900_000, 5, "é" * 900_000, value, 1_000_000, fields)
    found = msgspec.json.decode(written)
    assert len(written) <= MOST_BYTES
    assert (len(found["message"]), len(found["origin"]), len(found["key"])) == (200, 300, 256)
    assert found["message"].endswith("…")
    assert found["truncated"] is True
    assert found["size"] == len(value)
    assert "fields" not in found


def test_half_a_character_is_no_reason_to_fail() -> None:
    assert cut("a\ud800", 5) == "a?"


@pytest.mark.parametrize("limit", range(2, 9))
def test_a_cut_never_goes_through_a_character(limit: int) -> None:
    text = "aé€😀" * 3
    cut = letter(text.encode(), limit)
    assert cut["truncated"] is True
    assert cut["size"] == 30
    assert "encoding" not in cut
    assert text.startswith(cut["value"])
    assert limit - 4 < len(cut["value"].encode()) <= limit


@pytest.mark.parametrize("value", [b"\xff\xfe{", b"abc\xff", b"\x80" * 200])
def test_bytes_that_are_no_text_are_kept_too(value: bytes) -> None:
    kept = letter(value)
    assert kept["encoding"] == "base64"
    assert base64.b64decode(kept["value"]) == value[:100]
