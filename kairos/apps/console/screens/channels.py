"""Channels: who serves each, how fast it may go, and the buttons that stop it."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from kairos.adapters.settings.delivery import load
from kairos.apps.api.endpoint import Call
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.errors import KairosError
from kairos.usecases.control.activities import activities, rules_of
from kairos.usecases.control.deeds import deeds
from kairos.usecases.errors import AskError
from kairos.usecases.operation import channels as usecase
from kairos.usecases.operation.limits import limit_of

_SHOWN = ("concurrency", "timeout", "attempts", "max_age", "agree")


def _list(parts: ConsoleParts, call: Call) -> Values:
    every = activities(parts.store, call.now)
    problem, rows = "", []
    try:
        rows = usecase.channels(load(parts.conf), call.now)
    except KairosError as error:
        problem = str(error)
    return {
        "rows": [(each, sum(each.name in one.channels for one in every)) for each in rows],
        "problem": problem,
        "zone": rules_of(parts.store).policy.timezone,
        "command": "kairos channel list",
    }


def _one(parts: ConsoleParts, call: Call) -> Values:
    conf, name = load(parts.conf), call.path["name"]
    found = usecase.channel(conf, name, call.now)
    settings, problem = {}, ""
    if found.provider is not None:
        try:
            own = msgspec.structs.asdict(conf.channel(name))
            settings = {key: own[key] for key in _SHOWN}
        except KairosError as error:
            problem = str(error)
    return {
        "channel": found,
        "settings": settings,
        "problem": problem,
        "users": [each for each in activities(parts.store, call.now) if name in each.channels],
        "happened": deeds(conf.rules.store, f"channel/{name}"),
        "may_limit": call.actor.may("limit") and found.provider is not None,
        "zone": rules_of(parts.store).policy.timezone,
        "title": name,
    }


def _switch(parts: ConsoleParts, call: Call) -> str:
    """From the page of the channel, or from another that says so."""
    conf, name, state = load(parts.conf), call.path["name"], call.body.get("state")
    if state == "paused":
        usecase.pause(conf, name, call.body.get("reason", "")[:1_000], call.actor, call.now)
    elif state == "live":
        usecase.resume(conf, name, call.actor, call.now)
    else:
        raise AskError("expected that it is paused, or goes on")
    return "/health" if call.body.get("from") == "health" else _path(name)


def _rate(parts: ConsoleParts, call: Call) -> str:
    name = call.path["name"]
    rate = limit_of(call.body.get("rate", ""), "the rate")
    usecase.set_rate(load(parts.conf), name, rate, call.actor, call.now)
    return _path(name)


def _path(name: str) -> str:
    return f"/channels/{quote(name, safe='')}"


LIST = Screen("/channels", "channels", _list, menu=True)
SCREEN = Screen("/channels/{name}", "channel", _one)
DEEDS = (
    Deed("/channels/{name}/switch", _switch, "limit"),
    Deed("/channels/{name}/rate", _rate, "limit"),
)
