"""The log of a process: a JSON object a line, or words for people at a terminal.

What is logged while one event, request or message is in hand carries its trace: the caller's `traceparent`, or the
delivery's key.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

import msgspec

FORMAT_VARIABLE = "KAIROS_LOG"
"""`json` or `text`; default: text for a terminal, else JSON."""
_QUIET = ("kafka", "librdkafka", "asyncio", "uvicorn", "alembic", "aiormq")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")

_trace: ContextVar[str | None] = ContextVar("trace", default=None)


def begin(level: int = logging.INFO, part: str = "kairos") -> None:
    """Our own log, on standard error. Libraries are quiet: what matters of theirs we say ourselves, once."""
    handler = logging.StreamHandler()
    wanted = os.environ.get(FORMAT_VARIABLE) or ("text" if sys.stderr.isatty() else "json")
    handler.setFormatter(TextLines() if wanted == "text" else JsonLines(part))
    logging.basicConfig(level=level, handlers=[handler])
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.CRITICAL)


class Trouble:
    """What goes wrong for a while is logged once, and again when it is something else, or after it was over."""

    def __init__(self, log: logging.Logger, line: str = "%s") -> None:
        """`line`: how it is logged; `%s` is the trouble."""
        self._log, self._line, self._known = log, line, ""

    def comes(self, trouble: object) -> None:
        if str(trouble) != self._known:
            self._known = str(trouble)
            self._log.warning(self._line, trouble)

    def goes(self) -> bool:
        """Whether there was any."""
        was, self._known = bool(self._known), ""
        return was


@contextmanager
def traced(trace: str) -> Iterator[None]:
    """What this task logs meanwhile is about `trace`."""
    token = _trace.set(trace)
    try:
        yield
    finally:
        _trace.reset(token)


def trace_of(traceparent: str | None) -> str:
    """The trace of a W3C `traceparent` header; where there is none, a new one."""
    found = _TRACEPARENT.fullmatch(traceparent or "")
    return found[1] if found is not None else secrets.token_hex(16)


def current() -> str | None:
    """The trace of what this task has in hand."""
    return _trace.get()


class TextLines(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")


class JsonLines(logging.Formatter):
    """`time` is UTC; `trace` and `error` only where there is one."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "part": self._part,
            "logger": record.name,
            "message": record.getMessage(),
        }
        trace = _trace.get()
        if trace is not None:
            line["trace"] = trace
        if record.exc_info is not None:
            line["error"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()
