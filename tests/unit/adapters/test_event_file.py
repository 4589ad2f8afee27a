"""Reading events: what is a line, what is reported, what is kept."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from kairos.adapters.files.events import EventFile, NotJsonLinesError, open_events
from kairos.engine.event import Event, EventError
from kairos.engine.strict_json import MAX_BYTES


def line(number: int, **fields: object) -> bytes:
    more = "".join(f', "{name}": "{value}"' for name, value in fields.items())
    return f'{{"id": "e{number}", "type": "t", "user_id": "u1", "time": {1763778000000 + number}{more}}}'.encode()


def read(content: bytes) -> tuple[EventFile, list[tuple[int, str, bytes]]]:
    reports: list[tuple[int, str, bytes]] = []
    file = EventFile(lambda *report: reports.append(report))
    file.read(io.BytesIO(content))
    return file, reports


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_events_keep_file_order_and_their_lines(end: bytes) -> None:
    file, reports = read(end.join([line(2), b"", line(1), b"  ", line(3)]))
    assert [event.id for event in file.events] == ["e2", "e1", "e3"]
    assert list(file.lines) == [1, 3, 5]
    assert reports == []


def test_only_line_feeds_end_a_line() -> None:
    text = line(1, source="a\u2028b\u2029c\x85d")
    file, reports = read(text + b"\nrubbish\n" + line(2))
    assert [event.source for event in file.events] == ["a\u2028b\u2029c\x85d", ""]
    assert [(number, content) for number, _, content in reports] == [(2, b"rubbish")]


def test_a_byte_order_mark_is_welcome() -> None:
    file, reports = read(b"\xef\xbb\xbf" + line(1))
    assert len(file.events) == 1
    assert reports == []


def test_invalid_lines_are_reported_with_number_and_reason_and_stop_nothing() -> None:
    file, reports = read(b"\n".join([line(1), b'{"id": 5}', b"\0\0", line(2), b'{"id": "e3", "type": "t"']))
    assert [event.id for event in file.events] == ["e1", "e2"]
    assert [number for number, _, _ in reports] == [2, 3, 5]
    assert file.invalid == 3
    assert reports[0][1] == "'type' is missing"


@pytest.mark.parametrize("excess", [1, 3, 2 * MAX_BYTES])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_line_that_is_too_long_is_reported_with_its_size(excess: int, end: bytes) -> None:
    size = MAX_BYTES + excess
    file, reports = read(line(1) + end + b"x" * size + end + line(2) + end)
    assert list(file.lines) == [1, 3]
    [(number, reason, content)] = reports
    assert number == 2
    assert reason == f"{size} bytes; at most {MAX_BYTES} are taken"
    assert len(content) <= MAX_BYTES + 3


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_longest_line_is_taken(end: bytes) -> None:
    text = line(1)[:-1] + b', "props": {"x": "'
    text += b"y" * (MAX_BYTES - len(text) - 3) + b'"}}'
    assert len(text) == MAX_BYTES
    file, reports = read(text + end)
    assert reports == []
    assert len(file.events) == 1


def test_a_last_line_that_is_too_long_ends_with_the_file() -> None:
    _, reports = read(b"x" * (3 * MAX_BYTES))
    assert [(number, reason) for number, reason, _ in reports] == [
        (1, f"{3 * MAX_BYTES} bytes; at most {MAX_BYTES} are taken")
    ]


def test_what_the_check_refuses_is_reported_like_any_bad_line() -> None:
    def check(event: Event) -> None:
        if event.source:
            raise EventError("unknown_source", f"nobody knows {event.source}")

    reports: list[tuple[int, str, bytes]] = []
    file = EventFile(lambda *report: reports.append(report), check)
    file.read(io.BytesIO(line(1) + b"\n" + line(2, source="x")))
    assert [event.id for event in file.events] == ["e1"]
    assert [report[:2] for report in reports] == [(2, "nobody knows x")]


def test_texts_that_repeat_are_kept_once() -> None:
    file, _ = read(line(1) + b"\n" + line(2))
    first, second = file.events
    assert first.user_id is second.user_id
    assert first.type is second.type


def test_progress_is_told_in_bytes() -> None:
    told: list[int] = []
    content = b"".join(line(number) + b"\n" for number in range(20_000))
    EventFile(lambda *_: None).read(io.BytesIO(content), told.append)
    assert told == sorted(told)
    assert 0 < told[0] < told[-1] <= len(content)


def test_a_packed_file_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(line(1) + b"\n" + line(2)))
    file = EventFile(lambda *_: None)
    with open_events(path) as stream:
        file.read(stream)
    assert len(file.events) == 2


TABLE = b"id,type,user_id,time\n1,t,u1,2026-11-02T12:00:00Z\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[\n" + line(1) + b",\n" + line(2) + b"\n]\n", "a JSON array"),
        (b"[" + line(1) + b"," + line(2) + b"]", "a JSON array"),
        (b"\n \r\n [" + line(1), "a JSON array"),
        (b'{\n  "id": "e1",\n  "type": "t"\n}\n{\n  "id": "e2"\n}', "pretty-printed JSON"),
        (b'{\r\n"id": "e1"\r\n}', "pretty-printed JSON"),
        (b'\xef\xbb\xbf{"id": "e1",\n "type": "t"}', "pretty-printed JSON"),
        ((line(1) + b"\n").decode().encode("utf-16"), "UTF-16"),
        (line(1).decode().encode("utf-16-le"), "UTF-16"),
        (line(1).decode().encode("utf-16-be"), "UTF-16"),
        (TABLE, "CSV"),
        (b"\xef\xbb\xbf" + TABLE.replace(b",", b";"), "CSV"),
        (TABLE.replace(b",", b"\t"), "CSV"),
        (b'"id","type","user_id"\n"1","a, b","u1"\n', "CSV"),
        (b"id,type\r\n1,t\r\n", "^not JSON Lines"),
        (b"- id: e1\n  type: t\n", "^not JSON Lines"),
        (b"data: " + line(1) + b"\ndata: " + line(2), "^not JSON Lines"),
        (b"[]\n", "^not JSON Lines"),
        (line(1) + b",\n" + line(2) + b",\n", "',' behind each line"),
        (line(1) + b";\n", "';' behind each line"),
        (line(1) + b"\r" + line(2) + b"\r", "parted by CR alone"),
        (line(1) + line(2) + b"\n" + line(3) + b" " + line(4), "on one line"),
        (b'{"events": [' + line(1) + b"]}", r"around the events, .*'\.events\[\]'"),
        (b'{"e1": ' + line(1) + b', "e2": ' + line(2) + b"}", r"around the events, .*'\.\[\]'"),
        (gzip.compress(line(1), mtime=0), ".gz"),
        (b"PK\x03\x04\x14\x00", "spreadsheet"),
        (b"PAR1\x15\x04", "Parquet"),
    ],
)
def test_what_is_no_json_lines_at_all_is_said(content: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(content)
    with pytest.raises(NotJsonLinesError, match=said):
        open_events(path)


@pytest.mark.parametrize(
    "bad",
    [
        b"[1, 2]",
        b"rubbish",
        b"a, b, c",
        b'{"id": "e1", "type": "t"',
        b'{"id": "e1",',
        b"{}",
        b"\0\0",
        b"[" * 100_000 + b"]" * 100_000,
        b"x" * 100_000,
        line(2)[:-1] + b"},",
        line(2) + line(3),
        b'{"events": []}',
        b"\xef\xbb\xbf",
        b"",
    ],
)
def test_a_bad_line_at_the_beginning_is_no_other_format(bad: bytes, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(bad + b"\n" + line(1) + b"\n")
    file = EventFile(lambda *_: None)
    with open_events(path) as stream:
        file.read(stream)
    assert [event.id for event in file.events] == ["e1"]


def test_an_empty_file_has_no_events(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for nothing in (b"", b"\n \r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\r\n"):
        path.write_bytes(nothing)
        file = EventFile(lambda *_: None)
        with open_events(path) as stream:
            file.read(stream)
        assert (file.events, file.invalid) == ([], 0)
