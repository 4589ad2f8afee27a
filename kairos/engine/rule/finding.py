"""What lint says: one finding each, with its place."""

from __future__ import annotations

from typing import Literal

import msgspec


class Finding(msgspec.Struct, frozen=True, order=True):
    """`file` is relative to the rule folder; `line` and `column` count from 1. `code` is stable, kebab-case."""

    file: str
    line: int
    column: int
    level: Literal["error", "warning"]
    code: str
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        hint = f"; {self.hint}" if self.hint else ""
        return f"{self.file}:{self.line}:{self.column}: {self.level}: {self.message}{hint} [{self.code}]"
