"""The filter `local`: a moment as the reader's clock shows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from liquid import RenderContext
from liquid.filter import with_context

from kairos.engine.event import FIRST_TIME, LAST_TIME
from kairos.engine.iso_time import parse_time
from kairos.engine.template.gaps import Context, Missing

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@with_context
def local(value: Any, form: str = "%Y-%m-%d %H:%M", *, context: RenderContext) -> Any:
    """`{{ starts_at | local: "%H:%M" }}`: epoch ms, or ISO 8601 with an offset. What is neither is a missing value."""
    moment = value if type(value) is int else parse_time(value) if isinstance(value, str) else None
    zone = context.zone if isinstance(context, Context) else None
    if moment is None or zone is None or not FIRST_TIME <= moment <= LAST_TIME:
        return Missing("")
    return (_EPOCH + timedelta(milliseconds=moment)).astimezone(zone).strftime(str(form))
