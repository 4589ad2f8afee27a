"""Limits as people type them, in a command or a form."""

from __future__ import annotations

from kairos.usecases.errors import AskError

NONE = "none"


def limit_of(text: str, what: str) -> float | None:
    """`none`: None, no limit. Raises AskError, which calls it `what`."""
    if text.strip() == NONE:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise AskError(f"{what} '{text[:40]}': expected a number above 0, or {NONE}")
    return value


def whole_limit_of(text: str, what: str) -> int | None:
    """As `limit_of`; 0 is a number, too."""
    if text.strip() == NONE:
        return None
    if not text.strip().isdecimal() or len(text) > 20:
        raise AskError(f"{what} '{text[:40]}': expected a whole number, or {NONE}")
    return int(text)


def reference_of(text: str, what: str) -> dict[str, str] | None:
    """Where a secret is: `env:NAME` or `file:PATH`; `none`: None. Raises AskError."""
    kind, _, name = text.strip().partition(":")
    if text.strip() == NONE:
        return None
    if kind not in ("env", "file") or not name:
        raise AskError(f"{what}: expected env:NAME, file:PATH or {NONE}; the secret itself has no place here")
    return {kind: name}


def spelt(reference: dict[str, str] | None) -> str:
    """As `reference_of` reads it."""
    return NONE if reference is None else ", ".join(f"{kind}:{name}" for kind, name in reference.items())
