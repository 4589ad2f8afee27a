"""What Java says of a failure, for people."""

from __future__ import annotations

_CAUSED_BY = "Caused by: "


def first_cause(said: str, otherwise: str = "no reason is given") -> str:
    """The innermost message of a Java exception, without the stack trace; where it has no cause, its first line."""
    lines = [line for each in said.splitlines() if (line := each.strip())]
    causes = [line.removeprefix(_CAUSED_BY) for line in lines if line.startswith(_CAUSED_BY)]
    return causes[-1] if causes else next(iter(lines), otherwise)
