"""How a process of Kairos begins, and that it ends in order when it is told to."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import Callable

from kairos.apps import logs
from kairos.structs import work_out_structs

STOPPING = (signal.SIGTERM, signal.SIGINT)
_SELDOM = (20_000, 20, 20)
"""New objects until the collector looks at them; Python's own are (700, 10, 10)."""


def begin(level: int = logging.INFO, part: str = "kairos") -> None:
    """`level`, `part`: of its log. Called before it has a second thread, when all that it needs is imported."""
    logs.begin(level, part)
    work_out_structs()
    keep_what_is_there()


def keep_what_is_there() -> None:
    """All that there is now lives as long as the process: the collector never looks at it again. That would be 50 ms
    at 80,000 objects, in which nobody is answered, and the more often the more is asked. What comes later it looks at
    seldom: nearly all of that goes with the request that made it."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_SELDOM)


def on_stop(stop: Callable[[], object]) -> None:
    """Calls `stop` at SIGTERM and Ctrl-C: in the event loop that runs here, or else between two instructions."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        for number in STOPPING:
            signal.signal(number, lambda *_: stop())
    else:
        for number in STOPPING:
            loop.add_signal_handler(number, stop)
