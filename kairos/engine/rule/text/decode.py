"""From the bytes of a file to its text: size, UTF-8, byte order mark, control characters."""

from __future__ import annotations

import re

from kairos.engine.rule.text.nodes import YamlError

MAX_BYTES = 1 << 20

# What YAML 1.2 calls not printable, plus the line separators that only YAML 1.1 takes for line breaks.
_REFUSED = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_LINE_BREAK = re.compile("\r\n|\r|\n")


def decode(content: bytes) -> str:
    """The text, without its byte order mark. Raises YamlError (its place is that of the bad byte)."""
    if len(content) > MAX_BYTES:
        raise YamlError(1, 1, "file-size", f"the file is larger than {MAX_BYTES >> 20} MB", "split it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        good = content[: error.start].decode("utf-8", "replace")
        raise YamlError(
            *_place(good), "encoding", f"not UTF-8 (byte 0x{content[error.start]:02x})", "save as UTF-8"
        ) from None
    if found := _REFUSED.search(text):
        code = f"U+{ord(found.group()):04X}"
        raise YamlError(
            *_place(text[: found.start()]), "control-character", f"the control character {code} is not allowed"
        )
    return text


def _place(before: str) -> tuple[int, int]:
    lines = _LINE_BREAK.split(before)
    return len(lines), len(lines[-1]) + 1
