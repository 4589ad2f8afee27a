"""The configuration of the installation that commands are about, where they are not told another."""

from __future__ import annotations

import os
from pathlib import Path

CONF = "KAIROS_CONF"


def installed() -> Path | None:
    """None: the environment names none."""
    named = os.environ.get(CONF)
    return Path(named) if named else None
