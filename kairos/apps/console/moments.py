"""Times that somebody wrote into a form or a URL."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from kairos.apps.inputs.moments import TIME, read_moment
from kairos.usecases.errors import AskError


def moment_of(text: str, zone: ZoneInfo) -> int | None:
    """Epoch ms; without an offset, of this zone; None of nothing. Raises AskError."""
    try:
        return read_moment(text, zone) if text else None
    except ValueError:
        raise AskError(f"expected {TIME}") from None
