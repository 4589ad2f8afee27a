"""Crowds: how large, how old, what they share; one of them; and what builds it or fills it by hand."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from markupsafe import Markup

from kairos.adapters.warehouse.crowd_files import Build
from kairos.apps.api.endpoint import Call
from kairos.apps.api.looking import loaded, warehouse_of
from kairos.apps.console.moments import moment_of
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.apps.crowds.places import places_of
from kairos.apps.page.svg import bar
from kairos.engine.crowd.guard import LIVE, Waivers
from kairos.engine.crowd.spec import Members
from kairos.engine.policy.quiet_hours import MINUTE
from kairos.errors import KairosError
from kairos.usecases.control.activities import rules_of
from kairos.usecases.crowds import look
from kairos.usecases.crowds.build import build_crowds
from kairos.usecases.crowds.by_hand import import_users, need_by_hand, users_of
from kairos.usecases.crowds.places import Places
from kairos.usecases.progress import Progress


def crowd_places(parts: ConsoleParts) -> Places:
    """Where the job of this configuration looks. Raises NotThereError, SettingsError, RuleStoreError."""
    return places_of(warehouse_of(parts), rules_of(parts.store), loaded(parts).measures, "duckdb", parts.conf)


def _list(parts: ConsoleParts, call: Call) -> Values:
    rules, standings, problem, matrix = rules_of(parts.store), list[look.Standing](), "", list[list[int]]()
    names: list[str] = []
    try:
        places = crowd_places(parts)
        standings = look.standings_of(places, built_of(parts, places), call.now)
        names = [each.crowd for each in standings if each.live is not None]
        question = ("overlap", *((each.crowd, each.live.n) for each in standings if each.live is not None))
        matrix = parts.answers.get(places.warehouse, question, lambda: look.overlap(places, names))
    except KairosError as error:
        problem = str(error)
    live = {name: look.kind_of(crowd) for name, crowd in sorted(rules.crowds.items()) if name not in rules.kept}
    return {
        "standings": standings,
        "live": live,
        "names": names,
        "matrix": matrix,
        "problem": problem,
        "now": call.now,
        "zone": rules.policy.timezone,
        "command": " ".join(["kairos crowds", *(["&& kairos crowds overlap", *names] if len(names) > 1 else [])]),
    }


def built_of(parts: ConsoleParts, places: Places) -> dict[str, list[Build]]:
    """Crowd -> its builds, in the order in which they were. Raises WarehouseError."""
    return parts.answers.get(places.warehouse, "builds", lambda: look.history(places))


def _values(parts: ConsoleParts, call: Call) -> Values:
    name, places = call.path["name"], crowd_places(parts)
    at = call.now - call.now % MINUTE  # kept for as long: while it is built, this page is asked for each second
    question = ("portrait", name, at, str(sorted(places.rules.kept.items())))
    found = parts.answers.get(places.warehouse, question, lambda: look.portrait(places, name, at))
    crowd = places.rules.crowds[name]
    size = found.standing.live.size if found.standing.live is not None else 0
    most = max([each.size for each in found.growth], default=0)
    return {
        "crowd": found,
        "by_hand": isinstance(crowd, Members) and crowd.users is None,
        "size": size,
        "bar": lambda number: Markup(bar(number / most if most else 0, label=f"{number:,}")),
        "work": parts.works.of(_work(name)),
        "may_build": call.actor.may("write"),
        "zone": places.rules.policy.timezone,
        "title": name,
        "command": f"kairos crowds show {name}",
    }


def _work(name: str) -> str:
    return f"crowd/{name}"


def _build(parts: ConsoleParts, call: Call) -> str:
    name, places, form = call.path["name"], crowd_places(parts), call.body
    places.kept(name)
    as_of = moment_of(form.get("as_of", ""), ZoneInfo(places.rules.policy.timezone))

    def does(progress: Progress) -> str:
        found = list(build_crowds(places, [name], as_of, parts.clock, _waivers(form), progress, call.actor))
        return "" if found[-1].status == LIVE else found[-1].status

    return _started(parts, name, does)


def _import(parts: ConsoleParts, call: Call) -> str:
    name, places, form = call.path["name"], crowd_places(parts), call.body
    need_by_hand(places, name)
    users = users_of(form.get("users", "").strip(), name)

    def does(progress: Progress) -> str:
        found = import_users(places, name, users, call.actor, parts.clock, _waivers(form), progress)
        return "" if found.status == LIVE else found.status

    return _started(parts, name, does)


def _started(parts: ConsoleParts, name: str, does: Any) -> str:
    parts.works.start(_work(name), does)
    return f"/crowds/{quote(name, safe='')}"


def _waivers(form: Any) -> Waivers:
    return Waivers(empty=form.get("empty") == "yes", change=form.get("change") == "yes")


LIST = Screen("/crowds", "crowds", _list, menu=True)
SCREEN = Screen("/crowds/{name}", "crowd", _values)
DEEDS = (
    Deed("/crowds/{name}/build", _build, "write"),
    Deed("/crowds/{name}/import", _import, "write"),
)
