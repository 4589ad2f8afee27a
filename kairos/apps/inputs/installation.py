"""The configuration of the installation that commands are about, where they are not told another.

One rule for all commands: an option that names one place (`--store`, `--warehouse`, `--kafka`) goes before `--conf`,
and what stands on the line before what stands in the environment.
"""

from __future__ import annotations

import os
from contextvars import ContextVar
from pathlib import Path

CONF = "KAIROS_CONF"
PLACES = frozenset({"store", "warehouse", "into"})
"""Options that name a place which a configuration names, too: a command that has one of them has `--conf`."""

_on_the_line: ContextVar[str | None] = ContextVar(CONF, default=None)


def name_installation(conf: str | None) -> None:
    """As `--conf` of the command that is called does. None: it does not."""
    _on_the_line.set(conf)


def is_named() -> bool:
    """Whether the line of this call names it."""
    return _on_the_line.get() is not None


def installed() -> Path | None:
    """None: neither the line nor the environment names one."""
    named = _on_the_line.get() or os.environ.get(CONF)
    return Path(named) if named else None
