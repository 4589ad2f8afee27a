"""One person: what she did, what was decided, what came of it, and why; and how she is found."""

from __future__ import annotations

import shlex

from kairos.adapters.settings.people import load as load_people
from kairos.apps.api.endpoint import Call
from kairos.apps.api.looking import people, person
from kairos.apps.console.measured import DAYS, since_of
from kairos.apps.console.screen import ConsoleParts, Screen, Values
from kairos.errors import KairosError
from kairos.usecases.errors import NotThereError
from kairos.usecases.people.find import Found, find
from kairos.usecases.people.places import places_of
from kairos.usecases.people.timeline import timeline


def _find(parts: ConsoleParts, call: Call) -> Values:
    text, found, problem = call.query["find"].strip(), list[Found](), ""
    if text:
        try:
            with places_of(load_people(parts.conf)).store() as store:
                found = find(store, text)
        except KairosError as error:
            problem = str(error)
    return {"found": found, "problem": problem, "command": f"kairos people find {shlex.quote(text or 'TEXT')}"}


def _values(parts: ConsoleParts, call: Call) -> Values:
    """Of late, where there is something; else of all times."""
    since = None if call.query["all"] else since_of(parts)
    try:
        return _told(parts, call, since)
    except NotThereError:
        if since is None:
            raise
        return _told(parts, call, None)


def _told(parts: ConsoleParts, call: Call, since: int | None) -> Values:
    places, user = people(parts), call.path["user"]
    with places.about(user, since) as about:
        told = timeline(about, user, call.query["activity"] or None)
        known = person(parts, call, about)
    rules = places.rules
    return {
        "person": known,
        "told": told,
        "days": None if since is None else DAYS,
        "activities": sorted(name for name, each in rules.activities.items() if each.part in ("", "entry")),
        "may_unmask": call.actor.may("unmask"),
        "zone": told.story.zone if told.story is not None else rules.policy.timezone,
        "title": user,
        "command": f"kairos people show {shlex.quote(user)}",
    }


FIND = Screen("/people", "people", _find, ("find",), menu=True)
SCREEN = Screen("/people/{user:path}", "person", _values, ("activity", "whole", "all"), slow=("all",))
