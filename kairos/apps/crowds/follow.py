"""`kairos crowds build --due --follow`: stays, and builds what is due, once a minute."""

from __future__ import annotations

from collections.abc import Callable

from kairos.errors import KairosError

LOOK_SECONDS = 60.0


def follow(build: Callable[[], object], wait: Callable[[float], bool], said: Callable[[str], None]) -> None:
    """Until `wait` says that it is over. `said` hears what goes wrong in a round; the next one tries again."""
    while True:
        try:
            build()
        except KairosError as error:
            said(str(error))
        if wait(LOOK_SECONDS):
            return
