"""Characters that look right and are not: what a Chinese keyboard, a word processor or a web page puts into a file."""

from __future__ import annotations

import re

_WIDE = dict(zip("：，（）［］｛｝＝＞＜！＂＇％－＋＊／＃；。、「」", ':,()[]{}=><!"\'%-+*/#;.,""', strict=True))
_WIDE |= {chr(0xFF10 + digit): str(digit) for digit in range(10)}
_CURLY = dict(zip("“”„«»‘’‚", '"""""\'\'\'', strict=True))
_BLANKS = {
    "\u00a0": "a no-break space",
    "\u3000": "a full-width space",
    "\u200b": "an invisible space",
    "\ufeff": "a byte order mark",
}
_DASHES = {"–": "-", "—": "-", "−": "-"}
_SIGNS = {"≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "÷": "/", "∧": "and", "∨": "or", "¬": "not", "∈": "in", "`": '"'}
_SLIP = re.compile("[" + re.escape("".join((*_WIDE, *_CURLY, *_BLANKS, *_DASHES, *_SIGNS))) + "]")


def slip(text: str) -> tuple[int, str] | None:
    """The first such character: where it is in the text, and what to write."""
    found = _SLIP.search(text)
    return (found.start(), _said(found.group())) if found else None


def _said(char: str) -> str:
    if char in _WIDE:
        return f"'{char}' is a full-width character: write '{_WIDE[char]}' (switch the keyboard to English)"
    if char in _CURLY:
        return f"'{char}' is a curly quote, as word processors make them: write a straight one, {_CURLY[char]}"
    if char in _BLANKS:
        return f"there is {_BLANKS[char]} here: write a plain space"
    if char in _SIGNS:
        return f"for '{char}' write {_SIGNS[char]}"
    return f"'{char}' is a dash, not the minus sign: write '-'"
