"""Text as one YAML value, wherever a rule file is written by a program."""

from __future__ import annotations

import re

from kairos.engine.rule.text.nodes import read_yaml

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_%./-]*")
_ESCAPED = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')
"""What ends a text in quotes, and what YAML has no other spelling for or reads as a line's end."""
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def as_yaml(text: str) -> str:
    """What is read back as this text, inside braces and brackets too: in quotes where it could be read otherwise, as a
    number for instance. Only of surrogates there is no spelling."""
    if _PLAIN.fullmatch(text):
        node = read_yaml(text)
        if node is not None and node.kind == "text" and node.text == text:
            return text
    return quoted(text)


def quoted(text: str) -> str:
    """In double quotes, as YAML and expressions read them."""
    return f'"{_ESCAPED.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    return _SHORT.get(char) or (f"\\x{ord(char):02x}" if char < "\u0100" else f"\\u{ord(char):04x}")
