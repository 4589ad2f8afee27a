"""What was handed over is what was decided: the same time, channel, version and template."""

from __future__ import annotations

from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.tell import clock
from kairos.usecases.results.audit.world import World

_FIELDS = ("at", "channel", "version", "template")
_DECIDED = ", ".join(f"s.{name}" for name in _FIELDS)
_HANDED_OVER = ", ".join(f"d.{name}" for name in _FIELDS)
_DIFFERING = f"""
SELECT s.key, s.activity, s.user_id, {_DECIDED}, {_HANDED_OVER}
FROM sends s JOIN deliveries d ON d.key = s.key WHERE ({_DECIDED}) IS NOT ({_HANDED_OVER})"""


def check(book: Book, world: World, result: Result) -> None:
    result.examined = {"deliveries": book.number("SELECT count(*) FROM deliveries JOIN sends USING (key)")}
    for key, activity, user, *values in book.ask(_DIFFERING):
        decided, handed_over = values[: len(_FIELDS)], values[len(_FIELDS) :]
        for name, here, there in zip(_FIELDS, decided, handed_over, strict=True):
            if here != there:
                what = f"decided with {name} {_tell(name, here)}, handed over with {_tell(name, there)}"
                result.add(f"{activity} for {user} was {what}", key)


def _tell(name: str, value: object) -> str:
    return clock(value) if name == "at" and isinstance(value, int) else f"{value}"
