"""Who is on the black list, the white list, or in a crowd that is kept by hand; put there and taken off."""

from __future__ import annotations

import re
import shlex
from urllib.parse import quote

from kairos.adapters.settings.delivery import load as load_delivery
from kairos.apps.api.endpoint import Call
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.errors import KairosError
from kairos.usecases.control.activities import rules_of
from kairos.usecases.errors import AskError
from kairos.usecases.people import user_lists

ABOUT = 500
"""Shown of a list at once."""


def _values(parts: ConsoleParts, call: Call) -> Values:
    name, problem, page = call.path["name"], "", user_lists.Page([], 0, 0)
    user_lists.need_list(name)
    after = call.query["after"]
    if not re.fullmatch(r"[0-9]{0,20}", after):
        raise AskError(f"expected a page that this list has named, not {after}")
    try:
        page = user_lists.members(load_delivery(parts.conf), name, int(after or 0), ABOUT)
    except KairosError as error:
        problem = str(error)
    return {
        "list": name,
        "page": page,
        "problem": problem,
        "may_put": call.actor.may("write"),
        "zone": rules_of(parts.store).policy.timezone,
        "title": name,
        "command": f"kairos list show {shlex.quote(name)}",
    }


def _put(parts: ConsoleParts, call: Call) -> str:
    name, form = call.path["name"], call.body
    users = form.get("users", "").split()
    reason, conf = form.get("reason", "")[:1_000] or None, load_delivery(parts.conf)
    if not users or form.get("state") not in ("on", "off"):
        raise AskError("expected users, a line each, and whether they are put on the list or taken off")
    user_lists.put(conf, name, users, reason, call.actor, call.now, on=form["state"] == "on")
    return f"/lists/{quote(name, safe='')}"


SCREEN = Screen("/lists/{name}", "list", _values, ("after",))
DEEDS = (Deed("/lists/{name}", _put, "write"),)
