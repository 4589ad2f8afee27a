"""One activity: its funnel with every loss, what it brings, its versions, what waits, and its switch."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from kairos.apps.api.endpoint import Call
from kairos.apps.api.looking import warehouse_of
from kairos.apps.console.measured import held_of, lately_of, of_rules, panels_are_known, panels_of
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.apps.page.svg import bar
from kairos.engine.journey.draw import stops_of
from kairos.engine.policy.quiet_hours import MINUTE
from kairos.engine.rule.changes.in_words import in_words
from kairos.engine.rule.changes.semantic_diff import Difference
from kairos.engine.rule.model import RuleSet
from kairos.errors import KairosError
from kairos.usecases.control.activities import activity, rules_of
from kairos.usecases.control.history import changed, history
from kairos.usecases.control.plan import by_line
from kairos.usecases.control.switch import Which, turn
from kairos.usecases.errors import AskError
from kairos.usecases.results.sends import Sends
from kairos.usecases.rules.standing import people_standing


def _values(parts: ConsoleParts, call: Call) -> Values:
    name = call.path["name"]
    shown, rules = activity(parts.store, name, call.now), rules_of(parts.store)
    panels, held, problem, sends, as_of = None, None, "", Sends(), None
    standing: list[tuple[str, int]] | None = None
    try:
        lately = lately_of(parts)
        sends, as_of = lately.of.get(name, sends), lately.as_of
        if call.query["numbers"] or panels_are_known(parts, rules, name):
            panels, held = panels_of(parts, rules, name), held_of(parts, name)
            standing = _standing(parts, rules, name, as_of or call.now)
    except KairosError as error:
        panels, problem = [], str(error)
    return {
        "activity": shown,
        "schedule": rules.activities[name].schedule if name in rules.activities else None,
        "sends": sends,
        "held": held,
        "as_of": as_of,
        "panels": panels,
        "problem": problem,
        "happened": list(reversed(history(parts.store, name))),
        "changed": _changed(parts, name, call.query["release"]),
        "standing": standing,
        "most": max((number for _, number in standing or ()), default=0),
        "bar": lambda share, label: Markup(bar(share, label=label)),
        "may_turn": call.actor.may("switch"),
        "zone": rules.policy.timezone,
        "title": name,
        "command": f"kairos history {name}",
    }


def _standing(parts: ConsoleParts, rules: RuleSet, name: str, now: int) -> list[tuple[str, int]] | None:
    """What a step is, and how many wait there, in the order of the journey. None: it is none."""
    journey = rules.journeys.get(name)
    if journey is None:
        return None
    warehouse = warehouse_of(parts)
    at = now - now % MINUTE  # kept for as long
    question = of_rules(rules, "standing", name, at)
    found = parts.answers.get(warehouse, question, lambda: people_standing(warehouse, rules, [name], at))[name]
    return [(said, found.get(key, 0)) for key, said in stops_of(journey).items()]


def _changed(parts: ConsoleParts, name: str, release: str) -> dict[str, Any] | None:
    """What a release made other, a field each; a text of several lines by line."""
    number = int(release) if release.isdecimal() and len(release) < 10 else None
    found = changed(parts.store, name, number)
    if found is None:
        return None
    rows = [{"field": each.field, "lines": _lines(each)} for each in found.differences]
    return {"before": found.before, "number": found.number, "rows": rows}


def _lines(each: Difference) -> list[str]:
    one, other = each.before, each.after
    if isinstance(one, str) and isinstance(other, str) and "\n" in one + other:
        return by_line(one, other)
    return [f"{sign} {in_words(each.field, value)}" for sign, value in (("-", one), ("+", other)) if value is not None]


def _turn(parts: ConsoleParts, call: Call) -> str:
    """Of one activity, or of all of them where the form says so."""
    state, name = call.body.get("state"), call.body.get("activity", "")
    if state not in ("paused", "live"):
        raise AskError("expected that it is paused, or goes on")
    which = Which([name]) if name else Which(all=call.body.get("all") == "yes")
    turn(parts.store, which, state, call.actor, call.body.get("reason", "")[:1_000], call.now)
    return f"/activities/{quote(name, safe='')}" if name else "/health"


SCREEN = Screen("/activities/{name}", "activity", _values, ("numbers", "release"), slow=("numbers",))
DEEDS = (Deed("/switch", _turn, "switch"),)
