"""Slots to come and people counted, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TextIO

from kairos.usecases.scheduler.forecast import Forecast
from kairos.usecases.scheduler.foresee import Counted, SlotToCome

_UNKNOWN = "what is usual only a warehouse knows (--warehouse)"


def show_slots(found: Sequence[SlotToCome], stream: TextIO) -> None:
    if not found:
        stream.write("no slot comes in this time\n")
        return
    rows = [("slot", "activity", "people", "from (UTC)", "to (UTC)")]
    rows += [(s.slot.replace("T", " "), s.activity, f"{s.users:,}", _utc(s.first), _utc(s.last)) for s in found]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        cells = [text.ljust(width) for text, width in zip(row, widths, strict=True)]
        cells[2] = row[2].rjust(widths[2])
        stream.write("  ".join(cells).rstrip() + "\n")


def show_forecast(found: Forecast, stream: TextIO) -> None:
    """A line an hour and channel; what is usual with its range."""
    if not found.channels:
        usual = f"nothing was sent in these hours of the {found.weeks} weeks before" if found.weeks else _UNKNOWN
        stream.write(f"nothing is planned, and {usual}\n")
        return
    heads = f"  usual, of {found.weeks} weeks" if found.weeks else ""
    stream.write(f"hour (UTC)        channel     planned{heads}\n")
    for part in found.channels:
        usual = f"  {part.usual:g} ({part.low:,} ... {part.high:,})" if found.weeks else ""
        stream.write(f"{_utc(part.hour)}  {part.channel:<10} {part.planned:>8,}{usual}\n")
    for each in found.overlaps:
        stream.write(f"{each.day}: {each.users:,} people are due for {each.one} and {each.other}\n")


def show_count(found: Counted, stream: TextIO) -> None:
    write = stream.write
    write(f"{found.activity}: {'at most ' if found.live else ''}{found.matched:,} people matched\n")
    if found.live:
        write("  its crowd hangs on what users do: only the job knows who of them is in it\n")
    _lines("reachable by", found.reachable, stream)
    _lines("would be sent by", found.sent, stream)
    _lines("would be held for", found.held, stream)
    _lines("would be stopped by", found.stopped, stream)
    if found.control:
        write(f"  in the control group: {found.control:,}\n")


def _lines(what: str, numbers: Mapping[str, int], stream: TextIO) -> None:
    for name, number in sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0])):
        stream.write(f"  {what} {name or 'no message'}: {number:,}\n")


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
