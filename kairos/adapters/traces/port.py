"""Where traces go: nowhere, or to a collector that the environment names as OpenTelemetry has it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal, NamedTuple, Protocol

from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.settings.file import SettingsError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
"""Variables of the environment: without them nothing is traced."""
SHARE = "OTEL_TRACES_SAMPLER_ARG"
"""Which share of all traces is kept, 0 to 1. All processes choose the same ones."""

Kind = Literal["producer", "consumer", "client", "internal"]


class Span(NamedTuple):
    """What was done, when it is over. `trace`: 32 hex digits. `begun`, `ended`: epoch ms. `root`: it begins the trace;
    the others follow from that one."""

    trace: str
    name: str
    begun: int
    ended: int
    kind: Kind
    attributes: Mapping[str, str | int]
    root: bool = False


class Traces(Protocol):
    def tell(self, span: Span) -> None:
        """Raises nothing: what was done stays done, whether anybody hears of it or not."""
        ...

    def close(self) -> None:
        """What is under way is sent, where that takes no longer than a moment."""
        ...


def open_traces(part: str, metrics: Metrics, environment: Mapping[str, str] = os.environ) -> Traces | None:
    """`part`: which process it is. `metrics`: where declared.TRACES are counted. None: nothing is traced.

    Raises SettingsError.
    """
    asked = next((name for name in ENDPOINTS if environment.get(name)), None)
    if asked is None:
        return None
    share = _share(environment.get(SHARE, "1"))
    try:
        from kairos.adapters.traces.otel import open_otel

        return open_otel(part, share, metrics)
    except ImportError:
        raise SettingsError(
            f"{asked} is set, and OpenTelemetry is not installed: pip install '.[apps,traces]', or unset it"
        ) from None
    except ValueError as error:  # of another of its variables
        raise SettingsError(f"{asked} is set, and OpenTelemetry cannot use its settings: {error}") from None


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise SettingsError(f"{SHARE} is '{text[:40]}': expected 0 to 1")
    return share
