"""The plan library: what is ready to be used, what it lacks here and has brought, and how it becomes files."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from kairos.apps.api.endpoint import Call
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.apps.view.failures import tell_failure
from kairos.engine.plan.choose import WORTH, Choose
from kairos.engine.plan.plan import Library, Plan
from kairos.engine.plan.write import write
from kairos.errors import KairosError
from kairos.usecases.control.activities import rules_of
from kairos.usecases.errors import AskError, InvalidRulesError
from kairos.usecases.rules import draft
from kairos.usecases.rules import plan_upgrades as upgrading
from kairos.usecases.rules import plans as usecase
from kairos.usecases.rules.new_activity import FailedExampleError
from kairos.usecases.rules.plan_upgrades import Upgrade

PARAMETER = "set."
"""What stands before the name of a parameter in the form."""


def _list(parts: ConsoleParts, call: Call) -> Values:
    library, problem, rows = Library(), "", []
    try:
        library = usecase.library(parts.plans)
        rows = usecase.entries(library, usecase.folder_rules(parts.rules))
    except KairosError as error:
        problem = str(error)
    return {
        "rows": rows,
        "findings": library.findings,
        "problem": problem,
        "folder": parts.plans,
        "zone": rules_of(parts.store).policy.timezone,
        "command": f"kairos plans {_places(parts)}",
    }


def _one(parts: ConsoleParts, call: Call) -> Values:
    return {**_plan_values(parts, call), "files": None, "problem": "", "findings": [], "said": ""}


def _made(parts: ConsoleParts, call: Call) -> Values:
    """What would be written, or what is wrong with it."""
    files, left, problem, findings, said = None, list[str](), "", list[Any](), ""
    values = _plan_values(parts, call)
    form = {**values["form"], **call.body}
    try:
        change = _change(parts, values["plan"], form)
        files, left = change.files, change.left
    except InvalidRulesError as error:
        problem, findings = f"the rules in {error.folder} would have errors", list(error.findings)
    except FailedExampleError as error:
        problem = str(error)
        said = "\n".join(tell_failure(parts.rules, each, io.StringIO()) for each in error.failed)
    except KairosError as error:
        problem = str(error)
    more = {"files": files, "left": left, "problem": problem, "findings": findings, "said": said, "form": form}
    return {**values, **more, "command": _command(parts, values["plan"], form)}


def _plan_values(parts: ConsoleParts, call: Call) -> dict[str, Any]:
    plan, rules = usecase.plan_of(parts.plans, call.path["name"]), usecase.folder_rules(parts.rules)
    (entry,) = usecase.entries(Library({plan.name: plan}), rules)
    made = usecase.made_by_default(plan)
    return {
        "plan": plan,
        "entry": entry,
        "requires": made.requires,
        "activity": next(iter(write(made, plan.name).own.values())),
        "upgrades": _upgrades(parts, plan),
        "groups": sorted(rules.policy.matching),
        "form": _unused(plan),
        "may_write": call.actor.may("write"),
        "at_once": draft.runs_at_once(parts.rules, parts.store),
        "left": [],
        "zone": rules.policy.timezone,
        "title": plan.title,
        "command": f"kairos plans show {plan.name} {_places(parts)}",
    }


def _unused(plan: Plan) -> dict[str, str]:
    """The form as it comes."""
    settings = {PARAMETER + name: one.default.text or "" for name, one in plan.parameters.items()}
    return {**settings, "as": "", "theme": "", "choose": "", "values": "", "matching": "", "worth": WORTH}


def _upgrades(parts: ConsoleParts, plan: Plan) -> list[Upgrade]:
    """Of what came from this plan."""
    found = upgrading.upgrades(parts.rules, Library({plan.name: plan}))
    return [each for each in found if each.came.plan == plan.name]


def _change(parts: ConsoleParts, plan: Plan, form: Mapping[str, str]) -> usecase.Change:
    settings = dict(_settings(plan, form))
    among = {form["choose"]: form.get("values", "").split(",")} if form.get("choose") else {}
    choose = Choose(among, form.get("matching") or None, form.get("worth") or WORTH)
    asked = usecase.Use(settings, form.get("as") or None, form.get("theme") or None, choose)
    return usecase.use(parts.rules, plan, asked)


def _settings(plan: Plan, form: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What differs from the plan's own."""
    for name, parameter in plan.parameters.items():
        value = form.get(PARAMETER + name)
        if value is not None and value != (parameter.default.text or ""):
            yield name, value


def _command(parts: ConsoleParts, plan: Plan, form: Mapping[str, str]) -> str:
    words = [f"--set {shlex.quote(f'{name}={value}')}" for name, value in _settings(plan, form)]
    words += [f"--{name} {shlex.quote(form[name])}" for name in ("as", "theme", "matching") if form.get(name)]
    if form.get("choose"):
        chosen = f"{form['choose']}={form.get('values', '')}"
        words += [f"--choose {shlex.quote(chosen)}", f"--worth {shlex.quote(form.get('worth') or WORTH)}"]
    return " ".join(["kairos plans use", plan.name, *words, _places(parts)])


def _places(parts: ConsoleParts) -> str:
    return f"--plans {parts.plans} --rules {parts.rules}"


def _use(parts: ConsoleParts, call: Call) -> str:
    change = _change(parts, usecase.plan_of(parts.plans, call.path["name"]), call.body)
    return _keep(parts, call, change)


def _upgrade(parts: ConsoleParts, call: Call) -> str:
    plan = usecase.plan_of(parts.plans, call.path["name"])
    for one in _upgrades(parts, plan):
        if one.name == call.body.get("activity") and one.offered:
            return _keep(parts, call, upgrading.upgrade(parts.rules, one))
    raise AskError(f"there is no newer version of {plan.name} for this")


def _keep(parts: ConsoleParts, call: Call, change: usecase.Change) -> str:
    """To the first of the files, to be edited, tried and submitted."""
    draft.save_all(parts.rules, parts.store, change.files, call.actor, call.now)
    return f"/write?{urlencode({'file': next(iter(change.files))})}" if change.files else f"/plans/{_name(call)}"


def _name(call: Call) -> str:
    return quote(call.path["name"], safe="")


LIST = Screen("/plans", "plans", _list, menu=True)
SCREEN = Screen("/plans/{name}", "plan", _one)
MADE = Screen("/plans/{name}/made", "plan", _made, right="write", posted=True)
DEEDS = (
    Deed("/plans/{name}/use", _use, "write"),
    Deed("/plans/{name}/upgrade", _upgrade, "write"),
)
