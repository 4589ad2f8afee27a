"""Whatever a file holds: every line is an event, reported, or blank, and reports stay on one line."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from kairos.adapters.files.events import EventFile
from kairos.apps.view.terminal import MAX_QUOTED, quote

GOOD = st.integers(0, 99).map(lambda n: b'{"id": "e%d", "type": "t", "user_id": "u", "time": 1763778000000}' % n)
LINES = st.lists(st.one_of(GOOD, st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), st.just(b"  ")))

BLANK = b"\xef\xbb\xbf \t\r"
"""What JSON takes for white space, and a byte order mark; a form feed is a line that is no event."""


@given(LINES, st.sampled_from([b"\n", b"\r\n"]), st.booleans())
def test_every_line_is_accounted_for(lines: list[bytes], end: bytes, ended: bool) -> None:
    reports: list[tuple[int, str, bytes]] = []
    file = EventFile(lambda *report: reports.append(report))
    file.read(io.BytesIO(end.join(lines) + (end if ended else b"")))
    good = list(file.lines)
    bad = [number for number, _, _ in reports]
    assert good == [n for n, line in enumerate(lines, 1) if line.startswith(b'{"id": "e')]
    assert sorted(good + bad) == [n for n, line in enumerate(lines, 1) if line.strip(BLANK)]
    assert file.invalid == len(bad)
    assert len(file.events) == len(good)


@given(st.one_of(st.text(), st.binary()), st.integers(1, MAX_QUOTED))
def test_a_quotation_is_one_printable_line_of_bounded_length(content: str | bytes, most: int) -> None:
    said = quote(content, most)
    assert said.isprintable()
    assert len(said) <= most
