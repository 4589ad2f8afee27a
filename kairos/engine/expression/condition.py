"""A condition as written in a rule: an expression's text, or JavaScript (`{js: "..."}`)."""

from __future__ import annotations

import msgspec


class Script(msgspec.Struct, frozen=True):
    """Sandboxed JavaScript; only `true` is true."""

    js: str


Condition = str | Script
