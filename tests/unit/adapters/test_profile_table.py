"""Tables of profiles: types, and rows that are left out with their line."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

from kairos.adapters.profiles.file import ProfileFileError
from kairos.adapters.profiles.table import Closed, read_table
from kairos.engine.profile.consent import NAMES, UNREADABLE

TYPES = {
    "level": "integer", "score": "number", "vip": "boolean", "city": "string", "birthday": "date", "seen": "time",
    "tags": "list", "home": "object", "phone": "string",
}  # fmt: skip


def read(path: Path, types: dict[str, str] | None = TYPES) -> tuple[dict[str, Any], list[str]]:
    told: list[str] = []
    return dict(read_table(path, types, lambda place, problem: told.append(f"{place}: {problem}"))), told


def csv_file(folder: Path, *lines: str) -> Path:
    path = folder / "people.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_cell_is_of_its_column_s_type(tmp_path: Path) -> None:
    header = "\ufeffuser_id,phone,level,score,vip,city,birthday,seen,tags,home,unsubscribed,timezone"
    full = 'u1,013800,3,1.5,TRUE,Köln,1990-02-28,1763778000000,"[""a"",2]","{""zip"":1}","[""sms""]",Europe/Berlin'
    profiles, told = read(csv_file(tmp_path, header, full, "u2,,,,,,,2026-01-01T00:00:00Z,,,,"))
    assert told == []
    assert profiles == {
        "u1": {
            "phone": "013800", "level": 3, "score": 1.5, "vip": True, "city": "Köln", "birthday": "1990-02-28",
            "seen": 1763778000000, "tags": ["a", 2], "home": {"zip": 1}, "unsubscribed": ["sms"],
            "timezone": "Europe/Berlin",
        },
        "u2": {"seen": "2026-01-01T00:00:00Z"},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("level", "3.5", "level: an integer is expected"),
        ("level", "three", "level: an integer is expected"),
        ("level", "[", "level: an integer is expected"),
        ("score", "NaN", "score: a number is expected"),
        ("vip", "yes", "vip: true or false is expected"),
        ("birthday", "28.02.1990", "birthday: a date such as 2026-11-02 is expected"),
        ("seen", "yesterday", "seen: epoch milliseconds or ISO 8601 with an offset is expected"),
        ("tags", "a;b", "tags: a list is expected"),
        ("unsubscribed", "perhaps", "unsubscribed: a list of names is expected"),
        ("lists", '["blakc"]', "lists: a list of names is expected, of black, white"),
        ("unsubscribed", "[1]", f"unsubscribed: a list of names is expected, of {', '.join(NAMES['unsubscribed'])}"),
        ("timezone", "Mars/Olympus", "timezone: a time zone such as Asia/Shanghai is expected"),
    ],
)
def test_a_row_with_a_wrong_cell_is_left_out_as_a_whole(tmp_path: Path, column: str, cell: str, said: str) -> None:
    profiles, told = read(csv_file(tmp_path, f"user_id,city,{column}", "u1,sz,", f"u2,sz,{cell}", "u3,sz,"))
    closes = column in NAMES
    assert profiles == {"u1": {"city": "sz"}, "u3": {"city": "sz"}} | ({"u2": {column: [UNREADABLE]}} if closes else {})
    assert told == [f"3: {said}; the row is left out{f', but for {column}' if closes else ''}"]


def test_a_row_that_is_left_out_closes_what_it_closes(tmp_path: Path) -> None:
    rows = ["u1,many,sms,", "u2,many,,black", "u3,many,false,white", ",1,sms,", "u5,many,stop,white"]
    profiles, told = read(csv_file(tmp_path, "user_id,level, Unsubscribed,LISTS", *rows))
    assert profiles == {
        "u1": {"unsubscribed": ["sms"]}, "u2": {"lists": ["black"]}, "u5": {"unsubscribed": [UNREADABLE]},
    }  # fmt: skip
    assert all(type(fields) is Closed for fields in profiles.values())
    assert [line.partition("left out")[2] for line in told] == [
        ", but for unsubscribed", ", but for lists", "", "", ", but for unsubscribed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "read_as"),
    [
        ("sms", ["sms"]),
        ("TRUE", ["all"]),
        ("Yes", ["all"]),
        ("1", ["all"]),
        ("false", []),
        ('"[""SMS""]"', ["sms"]),
        ('"sms, Email"', ["sms", "email"]),
    ],
)
def test_an_opt_out_may_be_written_in_plain_words(tmp_path: Path, cell: str, read_as: list[str]) -> None:
    profiles, told = read(csv_file(tmp_path, "user_id,unsubscribed", f"u1,{cell}"))
    assert (profiles, told) == ({"u1": {"unsubscribed": read_as}}, [])


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    rows = ['u1,"two\nlines",1', "", "u2,x", ",x,1", "u3,x,many"]
    profiles, told = read(csv_file(tmp_path, "user_id,city,level", *rows))
    assert profiles == {"u1": {"city": "two\nlines", "level": 1}}
    assert told == [
        "5: 2 cells where there are 3 columns; the row is left out",
        "6: 'user_id' must be text; the row is left out",
        "7: level: an integer is expected; the row is left out",
    ]


def test_what_nobody_declared_is_not_loaded(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "user_id,password,city", "u1,hunter2,sz")
    told = ["1: column 'password' is not declared in profile.yaml; it is left out"]
    assert read(path) == ({"u1": {"city": "sz"}}, told)
    assert read(path, None) == ({"u1": {"password": "hunter2", "city": "sz"}}, [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "there is no column 'user_id'; there are none"),
        (b"id,city\nu1,sz\n", "there is no column 'user_id'; there are id, city"),
        (b"user_id,city,city\n", "a column occurs twice"),
        (b'user_id,city\nu1,"open\n', "not CSV in UTF-8"),
        (b"user_id,city\nu1,\xff\n", "not CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_table(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(content)
    with pytest.raises(ProfileFileError, match=said):
        read(path)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    with pytest.raises(ProfileFileError, match=r"ends with .csv, .parquet or .json"):
        read(tmp_path / "people.xlsx")


def test_json_is_held_to_the_same(tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    path.write_text(
        '{"u1": {"level": 3, "phone": null, "extra": 1}, "u2": {"level": "3"}, "u3": 4, "u4": {"extra": 2},'
        ' "u5": {"unsubscribed": "perhaps"}}'
    )
    profiles, told = read(path)
    assert profiles == {"u1": {"level": 3}, "u4": {}, "u5": {"unsubscribed": [UNREADABLE]}}
    assert told == [
        "u1: field 'extra' is not declared in profile.yaml; it is left out, everywhere",
        "u2: level: an integer is expected; the row is left out",
        "u3: an object is expected; the row is left out",
        "u5: unsubscribed: a list of names is expected; the row is left out, but for unsubscribed",
    ]


@pytest.mark.parametrize(
    "text",
    [
        '{"u1": {"unsubscribed": ["sms"]}, "u1": {}}',
        '{"u1": {"unsubscribed": ["sms"], "unsubscribed": []}}',
        '{"u1": {"unsubscribed": ["sms"], "Unsubscribed": []}}',
    ],
)
def test_nothing_is_said_twice(tmp_path: Path, text: str) -> None:
    path = tmp_path / "people.json"
    path.write_text(text)
    with pytest.raises(ProfileFileError, match="occurs twice"):
        read(path)


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    rows = {
        "user_id": ["u1", "u2", None, "u4"],
        "level": [3.5, float("nan"), 1.0, 2.0],
        "score": [Decimal("1.50"), Decimal("2.00"), None, None],
        "vip": [True, None, None, None],
        "birthday": [datetime.date(1990, 2, 28), None, None, None],
        "seen": [datetime.datetime(2026, 1, 1), None, None, None],
        "Unsubscribed": [["sms"], [], None, None],
        "phone": ["0138", None, None, None],
        "city": [None, None, None, "sz"],
        "extra": [1, 1, 1, 1],
    }
    parquet.write_table(arrow.table(rows), path)
    profiles, told = read(path)
    closed = {"u1": {"unsubscribed": ["sms"]}}
    assert profiles == {"u2": {"score": 2, "unsubscribed": []}, "u4": {"level": 2, "city": "sz"}} | closed
    assert told == [
        "columns: column 'extra' is not declared in profile.yaml; it is left out",
        "row 1: level: an integer is expected; the row is left out, but for unsubscribed",
        "row 3: 'user_id' must be text; the row is left out",
    ]
    parquet.write_table(arrow.table({**rows, "level": [3, 1, 1, 1], "city": [b"x", None, None, None]}), path)
    assert read(path)[1][1] == "row 1: city: text is expected; the row is left out, but for unsubscribed"
    parquet.write_table(arrow.table({**rows, "level": [3, 1, 1, 1]}), path)
    assert read(path)[0]["u1"] == {
        "level": 3, "score": 1.5, "vip": True, "birthday": "1990-02-28", "seen": 1767225600000,
        "unsubscribed": ["sms"], "phone": "0138",
    }  # fmt: skip


def test_what_is_no_parquet(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(ProfileFileError, match="not Parquet"):
        read(path)


@pytest.mark.parametrize(
    ("cell", "read_as"),
    [
        ({"news": True}, {"news": {"on": True, "by": "import"}}),
        ({"news": "off"}, {"news": {"on": False, "by": "import"}}),
        ({"news": {"on": False, "at": 5, "by": "shop"}}, {"news": {"on": False, "at": 5, "by": "shop"}}),
        (
            {"news": {"on": True, "at": "2026-11-02T12:00:00Z"}},
            {"news": {"on": True, "at": 1793620800000, "by": "import"}},
        ),
    ],
)
def test_words_on_topics_become_what_the_engine_reads(cell: Any, read_as: Any, tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"u1": {"consents": cell}}))
    assert read(path) == ({"u1": {"consents": read_as}}, [])


@pytest.mark.parametrize(
    ("consents", "closed"),
    [
        ({"news": False, "sale": True}, {"consents": ["news"]}),
        ({"news": "maybe"}, {"consents": ["news"]}),
        ("news", {"consents": [UNREADABLE]}),
        ({"news": True}, None),
    ],
)
def test_of_a_row_that_is_left_out_what_it_refuses_counts(consents: Any, closed: Any, tmp_path: Path) -> None:
    path = tmp_path / "people.json"
    path.write_text(json.dumps({"u1": {"level": "three", "consents": consents}}))
    profiles, told = read(path)
    assert len(told) == 1
    assert profiles == ({} if closed is None else {"u1": closed})
