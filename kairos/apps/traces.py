"""Traces of the events that a process takes, where the environment asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.traces.port import open_traces
from kairos.apps.logs import current
from kairos.usecases.intake.intake import Published
from kairos.usecases.intake.traced import TracedEvents


def traced_events(part: str, metrics: Metrics, clock: Callable[[], int], closing: AsyncExitStack) -> Published | None:
    """`part`: which process it is. `clock`: epoch ms. Raises SettingsError."""
    traces = open_traces(part, metrics)
    if traces is None:
        return None
    closing.push_async_callback(asyncio.to_thread, traces.close)
    return TracedEvents(traces, clock, current).published
