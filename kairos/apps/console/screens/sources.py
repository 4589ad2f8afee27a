"""Sources: who may send events, what of, how fast and with which keys."""

from __future__ import annotations

from urllib.parse import quote

import msgspec

from kairos.adapters.settings.gateway import SourcesConf, load_sources
from kairos.adapters.sources.text import read_sources, write_source
from kairos.apps.api.endpoint import Call
from kairos.apps.console.measured import arrivals_of
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.apps.inputs.author import MAX_NAME
from kairos.errors import KairosError
from kairos.usecases.control.activities import rules_of
from kairos.usecases.errors import AskError
from kairos.usecases.operation import sources as usecase
from kairos.usecases.operation.limits import limit_of, reference_of, spelt, whole_limit_of
from kairos.usecases.results.arrivals import Arrivals


def _list(parts: ConsoleParts, call: Call) -> Values:
    conf = load_sources(parts.conf)
    snapshot, problems = None, list[str]()
    try:
        snapshot = usecase.list_sources(conf)
        problems += snapshot.problems
    except KairosError as error:
        problems.append(str(error))
    came, problem = _arrivals(parts)
    return {
        "entries": snapshot.entries if snapshot is not None else {},
        "problems": [*problems, *filter(None, [problem])],
        "came": came,
        "place": _place(conf),
        "may_add": conf.in_database and call.actor.may("administer"),
        "zone": rules_of(parts.store).policy.timezone,
        "command": "kairos source list",
    }


def _one(parts: ConsoleParts, call: Call) -> Values:
    conf, name = load_sources(parts.conf), call.path["name"]
    shown = usecase.show_source(conf, name)
    came, problem = _arrivals(parts)
    return {
        "name_": name,
        "entry": shown.entry,
        "record": write_source(shown.entry.source),
        "hmac": spelt(shown.entry.access.hmac),
        "keys": shown.keys,
        "changes": shown.changes,
        "problems": [*shown.problems, *filter(None, [problem])],
        "came": came.of.get(name),
        "sql": came.sql,
        "in_database": conf.in_database,
        "place": _place(conf),
        "may_limit": conf.in_database and call.actor.may("limit"),
        "may_add": conf.in_database and call.actor.may("administer"),
        "zone": rules_of(parts.store).policy.timezone,
        "title": name,
        "command": f"kairos source show {name}",
    }


def _arrivals(parts: ConsoleParts) -> tuple[Arrivals, str]:
    """And why nothing is known of them."""
    try:
        return arrivals_of(parts), ""
    except KairosError as error:
        return Arrivals(None, {}, ""), str(error)


def _place(conf: SourcesConf) -> str:
    """The file in which they are changed; "" where that is done here."""
    return "" if conf.in_database else f"{conf.said}/sources.yaml"


def _switch(parts: ConsoleParts, call: Call) -> str:
    state = call.body.get("state")
    if state not in ("paused", "live"):
        raise AskError("expected that it is paused, or goes on")
    usecase.switch_source(load_sources(parts.conf), call.path["name"], state == "live", call.actor, call.now)
    return _path(call)


def _limit(parts: ConsoleParts, call: Call) -> str:
    said = {key: call.body.get(key, "").strip() for key in ("rate", "max_bytes", "hmac", "priority")}
    limits = usecase.Limits(
        limit_of(said["rate"], "the rate") if said["rate"] else msgspec.UNSET,
        whole_limit_of(said["max_bytes"], "the size") if said["max_bytes"] else msgspec.UNSET,
        reference_of(said["hmac"], "the signature") if said["hmac"] else msgspec.UNSET,
        whole_limit_of(said["priority"], "the priority") if said["priority"] else msgspec.UNSET,
    )
    if limits == usecase.Limits():
        raise AskError("say what to set: a rate, a size, a signature or a priority")
    usecase.limit_source(load_sources(parts.conf), call.path["name"], limits, call.actor, call.now)
    return _path(call)


def _key(parts: ConsoleParts, call: Call) -> Values:
    """Made, and shown this one time."""
    conf, name, label = load_sources(parts.conf), call.path["name"], call.body.get("label", "")[:MAX_NAME]
    key = usecase.add_key(conf, name, label, call.actor, call.now)
    return {"key": key, "back": _path(call), "title": name}


def _revoke(parts: ConsoleParts, call: Call) -> str:
    key = call.body.get("key", "")
    usecase.revoke_key(load_sources(parts.conf), call.path["name"], key, call.actor, call.now)
    return _path(call)


def _put(parts: ConsoleParts, call: Call) -> str:
    """The gateway makes the topics of new ones."""
    found = read_sources(call.body.get("record", "").encode("utf-8", "surrogatepass"), "sources.yaml")
    usecase.put_sources(load_sources(parts.conf), list(found.values()), call.actor, call.now)
    return "/sources" if len(found) != 1 else f"/sources/{quote(next(iter(found)), safe='')}"


def _path(call: Call) -> str:
    return f"/sources/{quote(call.path['name'], safe='')}"


LIST = Screen("/sources", "sources", _list, menu=True)
SCREEN = Screen("/sources/{name}", "source", _one)
KEY = Screen("/sources/{name}/keys", "source-key", _key, right="administer", posted=True)
DEEDS = (
    Deed("/sources", _put, "administer"),
    Deed("/sources/{name}/switch", _switch, "limit"),
    Deed("/sources/{name}/limit", _limit, "limit"),
    Deed("/sources/{name}/revoke", _revoke, "administer"),
)
