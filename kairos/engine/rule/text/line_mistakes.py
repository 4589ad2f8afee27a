"""What is usually wrong with a line that YAML cannot read: it says where it lost the thread, which is often later."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kairos.engine.expression.slips import slip

_KEY = r"(?P<lead>\s*(?:- +)?)(?P<key>[A-Za-z_]\w*)"
_WIDE_COLON = re.compile(_KEY + r"(?P<at>[：])")
_INDENT = re.compile(r"[ -]*(?P<at>[\u00a0\u3000\u200b])")
_IN_BRACES = re.compile(r"[^\"']*[{\[][^\"']*?(?P<at>[：，｝］])")
_DASH = re.compile(r"\s*(?P<at>-)(?P<rest>[{\[\"'A-Za-z_][^#]{0,20})")
_COLON = re.compile(_KEY + r"(?P<at>:)(?!//)(?P<value>[^\s,:}][^#]{0,20})")
_EQUALS = re.compile(_KEY + r" *(?P<at>=) *(?P<value>[^\s=][^#]{0,20})")
_BARE = re.compile(r"\s*(?P<at>)(?P<key>[A-Za-z_]\w*)\s*")


def line_mistake(text: str, numbers: Iterable[int]) -> tuple[int, int, str] | None:
    """(line, column, what to write) of the first of these lines, from 1, that has a usual mistake."""
    lines = text.split("\n")
    for number in numbers:
        line = lines[number - 1].rstrip("\r") if 0 < number <= len(lines) else ""
        if found := _mistake(line):
            column, said = found
            return number, column + 1, said
    return None


def _mistake(line: str) -> tuple[int, str] | None:
    for pattern in (_INDENT, _WIDE_COLON, _IN_BRACES):
        if (found := pattern.match(line)) and (slipped := slip(found["at"])):
            return found.start("at"), slipped[1]
    if found := _DASH.match(line):
        return found.start("at"), f"a dash needs a space behind it: `- {found['rest'].strip()}`"
    if found := _COLON.match(line):
        return found.start("at"), f"a colon needs a space behind it: `{found['key']}: {found['value'].strip()}`"
    if found := _EQUALS.match(line):
        return found.start("at"), f"a colon parts key and value: `{found['key']}: {found['value'].strip()}`"
    if found := _BARE.fullmatch(line):
        return found.start("at"), f"a colon is missing: `{found['key']}:`"
    return None
