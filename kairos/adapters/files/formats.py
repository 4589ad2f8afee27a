"""What a file of events is that is not JSON Lines: told from its beginning, before each line is reported as wrong."""

from __future__ import annotations

import json
import re

_WANTED = "not JSON Lines: one event a line is expected, each a JSON object"
_LONG = 4096
"""From so many bytes on a file may have more than its beginning shows."""

_BOM = b"\xef\xbb\xbf"
_PACKED = {
    b"\x1f\x8b": "packed with gzip: a file's name has to end in .gz then",
    b"PK\x03\x04": f"a zip archive or a spreadsheet, {_WANTED}",
    b"PAR1": f"Parquet, {_WANTED}",
}
_WIDE = (b"\xff\xfe", b"\xfe\xff", b"{\0", b"\0{", b"[\0", b"\0[")
_ARRAY = re.compile(rb"\[\s*(\{|$)")
_SEPARATORS = (b",", b";", b"\t", b"|")
_SEVERAL = re.compile(rb"\}\s*\{")
_NAME = re.compile(rb'\s*("[^"]*"|[^"{}\[\]:]+)\s*')


def other_format(head: bytes) -> str | None:
    """In words, with what to do. `head`: the first bytes. None: JSON Lines, or like nothing else that is known.

    A bad line at the beginning of a good file is no other format, so the next line is looked at, too.
    """
    for magic, what in _PACKED.items():
        if head.startswith(magic):
            return what
    if head.startswith(_WIDE):
        return "UTF-16 text: save it as UTF-8"
    lines = _lines(head)
    first, second = (*lines, b"", b"")[:2]
    if _ARRAY.match(first) and not (second.startswith(b"{") and _is_json(first)):
        return f"a JSON array, {_WANTED}; `jq -c '.[]' FILE` writes them so"
    if first.startswith(b"{") and second[:1] in (b'"', b"}", b"]") and not _is_json(first):
        return f"pretty-printed JSON, {_WANTED}; `jq -c . FILE` writes them so"
    if _is_table(first, second):
        return f"CSV, {_WANTED}"
    if len(head) >= _LONG and not head.endswith(b"\n"):
        del lines[-1]  # it may go on
    if not lines or not any(line.startswith(b"{") for line in lines):
        return _WANTED if lines else None
    return _oddly_parted(lines)


def _lines(head: bytes) -> list[bytes]:
    """Those that have something on them."""
    return [stripped for line in head.removeprefix(_BOM).split(b"\n") if (stripped := line.strip())]


def _oddly_parted(lines: list[bytes]) -> str | None:
    """JSON objects, and something between or around them on each line."""
    ends = {line[-1:] for line in lines}
    if ends <= {b",", b";"} and all(_is_json(line[:-1]) for line in lines):
        return f"JSON with {ends.pop().decode()!r} behind each line, {_WANTED}; `sed 's/[,;]$//' FILE` writes them so"
    if all(_SEVERAL.search(line) and not _is_json(line) for line in lines):
        parted = "parted by CR alone" if b"\r" in lines[0] else "on one line"
        return f"several JSON objects {parted}, {_WANTED}; `jq -c . FILE` writes them so"
    around = _decoded(lines[0]) if len(lines) == 1 else None
    if not isinstance(around, dict) or "type" in around or not around:
        return None
    if all(isinstance(value, dict) for value in around.values()):
        return f"a JSON object around the events, {_WANTED}; `jq -c '.[]' FILE` writes them so"
    name = next((key for key, value in around.items() if isinstance(value, list)), None)
    return name and f"a JSON object around the events, {_WANTED}; `jq -c '.{name}[]' FILE` writes them so"


def _decoded(line: bytes) -> object:
    """None: not JSON."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_json(line: bytes) -> bool:
    return _decoded(line) is not None


def _is_table(first: bytes, second: bytes) -> bool:
    """A line of at least three names, and one of as many values."""
    if second.startswith(b"{"):
        return False
    return any(
        len(names := first.split(separator)) > 2
        and all(_NAME.fullmatch(name) for name in names)
        and (not second or second.count(separator) >= len(names) - 1)
        for separator in _SEPARATORS
    )
