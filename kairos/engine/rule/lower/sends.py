"""What an activity or a variant sends."""

from __future__ import annotations

from typing import Any

from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.model import Send


def lower_sends(value: Value | None) -> tuple[Send, ...]:
    """As many as can be read: what has no channel is broken and already reported."""
    if value is None:
        return ()
    value.data = [entry for entry in value.each() if "channel" in entry]
    return tuple(_send(entry) for entry in value.each())


def _send(entry: Value) -> Send:
    data: dict[str, Any] = entry.plain("data") or {}
    return Send(entry.plain("channel"), entry.plain("template"), entry.plain("after"), entry.plain("unless"), data)
