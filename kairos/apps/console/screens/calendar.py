"""The load to come, by day, hour and channel, what makes it, and whom two calendars would write to on one day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from kairos.adapters.settings.delivery import load as load_delivery
from kairos.apps.api.endpoint import Call
from kairos.apps.api.looking import warehouse_of
from kairos.apps.console.measured import of_rules, of_warehouse
from kairos.apps.console.screen import ConsoleParts, Screen, Values
from kairos.apps.inputs.people import everyone
from kairos.engine.rule.model import RuleSet
from kairos.errors import KairosError
from kairos.usecases.control.activities import rules_of
from kairos.usecases.errors import AskError, NotThereError
from kairos.usecases.operation import channels
from kairos.usecases.scheduler.forecast import HOUR, Forecast, Part, forecast

DAYS = (1, 3, 7, 14)
DAY = 24 * HOUR


def _values(parts: ConsoleParts, call: Call) -> Values:
    rules, query = rules_of(parts.store), call.query
    found, problem, zone = None, "", ZoneInfo(rules.policy.timezone)
    days, hour = _number(query["days"], 7), _number(query["hour"], 0)
    if days not in DAYS:
        raise AskError(f"expected {', '.join(map(str, DAYS))} days")
    start = call.now // HOUR * HOUR
    try:
        found = _forecast(parts, rules, start, days, wanted=bool(query["asked"]))
    except KairosError as error:
        found, problem = Forecast([], [], [], 0), str(error)
    shown = [part for part in found.channels if query["channel"] in ("", part.channel)] if found is not None else []
    return {
        "forecast": found,
        "grids": grids(shown, zone, _rates(parts, call.now)),
        "channels": sorted({part.channel for part in found.channels}) if found is not None else [],
        "days": DAYS,
        "chosen": days,
        "hour": hour,
        "parts_of": _of_hour(found, query["channel"], hour),
        "problem": problem,
        "start": start,
        "zone": rules.policy.timezone,
        "command": f"kairos schedule --load --days {days}",
    }


def _number(text: str, otherwise: int) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) < 15):
        raise AskError(f"{text[:100]} is no number")
    return int(text) if text else otherwise


def _forecast(parts: ConsoleParts, rules: RuleSet, start: int, days: int, *, wanted: bool) -> Forecast | None:
    """None: it takes a while, and was not asked for yet. Kept for its hour, while the warehouse stays as it is."""
    people = everyone(None, parts.conf)
    try:
        warehouse = warehouse_of(parts)
    except NotThereError:
        return forecast(rules, people, None, start, start + days * DAY)

    question = of_rules(rules, "load", start, days)
    if not wanted and not parts.answers.known(warehouse, question):
        return None
    return of_warehouse(parts, question, lambda engine: forecast(rules, people, engine, start, start + days * DAY))


def _rates(parts: ConsoleParts, now: int) -> Mapping[str, float]:
    """Channel -> messages an hour, of those that are limited."""
    try:
        found = channels.channels(load_delivery(parts.conf), now)
    except KairosError:
        return {}
    return {each.name: each.control.rate * 3_600 for each in found if each.control and each.control.rate}


def _of_hour(found: Forecast | None, channel: str, hour: int) -> list[Part]:
    return [part for part in found.parts if part.hour == hour and part.channel == channel] if found and hour else []


def grids(shown: Sequence[Part], zone: ZoneInfo, rates: Mapping[str, float]) -> list[dict[str, Any]]:
    """A channel each: its local days, and of each the 24 hours, with how dark they are and whether it is too much.
    `rates`: channel -> messages an hour. An hour that comes twice when clocks go back has a row of its own."""
    grids = []
    for channel in sorted({part.channel for part in shown}):
        own = [part for part in shown if part.channel == channel]
        most = max(part.planned + part.usual for part in own)
        rows: dict[str, dict[int, Any]] = {}
        for part in own:
            local = datetime.fromtimestamp(part.hour / 1000, UTC).astimezone(zone)
            number = part.planned + part.usual
            day = f"{local:%Y-%m-%d %Z}" if local.fold else f"{local:%Y-%m-%d}"
            rows.setdefault(day, {})[local.hour] = {
                "part": part,
                "number": number,
                "shade": round(10 * number / most) if most else 0,
                "over": number > rates.get(channel, number),
            }
        over = any(cell["over"] for row in rows.values() for cell in row.values())
        grids.append({"channel": channel, "rows": rows, "rate": rates.get(channel), "over": over})
    return grids


SCREEN = Screen("/calendar", "calendar", _values, ("days", "channel", "hour", "asked"), menu=True, slow=("asked",))
