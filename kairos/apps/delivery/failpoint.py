"""Points at which the process kills itself, for tests of faults: KAIROS_FAIL_AT=after_reserve:3 -> the third time.

Off unless the environment says so. The points: `after_reserve` (the row is there, the provider not called yet),
`before_settle` (called, the outcome not written), `after_settle` (written, no receipt yet), `before_commit` (the
receipt is in Kafka, the offset not committed).
"""

from __future__ import annotations

import os
import signal

POINTS = ("after_reserve", "before_settle", "after_settle", "before_commit")

_POINT, _, _NUMBER = os.environ.get("KAIROS_FAIL_AT", "").partition(":")
_reached = 0


def reach(point: str) -> None:
    global _reached
    if point == _POINT:
        _reached += 1
        if _reached == int(_NUMBER or 1):
            os.kill(os.getpid(), signal.SIGKILL)
