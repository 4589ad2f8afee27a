"""No record that is written out is larger than Kafka takes."""

from __future__ import annotations

import string
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.dead_letter import DeadLetter, dead_letter
from kairos.engine.decision import Record
from kairos.engine.record_size import MARK, MOST_BYTES, encode_record


def record(steps: dict[str, list[str]], data: dict[str, Any]) -> Record:
    return Record("a", "v", None, "t", "u1", 1, "send", None, "sms", "o1", steps, data)


def told(one: Record) -> dict[str, Any]:
    value = encode_record(one)
    assert len(value) <= MOST_BYTES
    decoded: dict[str, Any] = msgspec.json.decode(value)
    return decoded


def test_an_ordinary_one_is_as_it_was() -> None:
    one = record({"order": ["e1"]}, {"amount": 5})
    assert encode_record(one) == msgspec.json.encode(one)


def test_long_texts_are_cut_with_a_mark_and_the_short_ones_stay() -> None:
    found = told(record({"order": ["e1"]}, {"long": "x" * 1_200_000, "twice": ["é" * 700_000], "amount": 5}))
    assert found["cut"] is True
    assert found["data"] == {"long": "x" * 10_000 + MARK, "twice": ["é" * 10_000 + MARK], "amount": 5}
    assert found["steps"] == {"order": ["e1"]}


def test_of_very_many_events_the_first_are_told() -> None:
    ids = [f"{number:0256}" for number in range(12_000)]
    found = told(record({"view": ids}, {}))
    assert found["steps"] == {"view": [*ids[:1_000], MARK]}


def test_what_is_deep_and_wide_leaves_at_least_the_decision() -> None:
    nested: Any = "x"
    for _ in range(6):
        nested = dict.fromkeys(string.ascii_letters[:10], nested)
    found = told(record({}, nested))
    assert (found["data"], found["cut"], found["outcome"]) == ({}, True, "send")


VALUES = st.recursive(
    st.text(max_size=5) | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@settings(max_examples=50)
@given(value=VALUES, times=st.integers(1, 400_000))
def test_whatever_it_holds(value: Any, times: int) -> None:
    told(record({}, {"many": [value] * min(times, 3_000), "text": "y" * times * 4}))


@pytest.mark.parametrize("value", [b"\x01" * 900_000, b"\xff" * 900_000, "é".encode() * 450_000, b""])
def test_a_dead_letter_fits_whatever_was_sent_and_whatever_is_kept_of_it(value: bytes) -> None:
    fields = {"data": "f" * 1_200_000}
    encoded = dead_letter("why", "m" * 1_200_000, "events.a/0@1", 5, "k" * 1_200_000, value, 1_000_000, fields)
    assert len(encoded) <= MOST_BYTES
    letter = msgspec.json.decode(encoded, type=DeadLetter)
    assert (letter.size, letter.truncated, letter.fields) == (len(value), True, {})
