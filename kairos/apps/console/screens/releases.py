"""What was published, what each release changed, and the way back to one of them."""

from __future__ import annotations

from kairos.adapters.control.database import Control
from kairos.apps.api.control import counted
from kairos.apps.api.endpoint import Call
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.engine.rule.changes.semantic_diff import differences
from kairos.engine.rule.model import RuleSet
from kairos.usecases.control import approvals, history
from kairos.usecases.control.activities import rules_of
from kairos.usecases.control.plan import plans_of, told_difference
from kairos.usecases.control.publish import publish
from kairos.usecases.control.reach import number_of_people
from kairos.usecases.errors import AskError, NotThereError
from kairos.usecases.rules.publish import Proposal, propose, standing
from kairos.usecases.scheduler.foresee import blasts_in

MOST = 50
"""Releases of the list: each is read, to say what is in it."""


def _list(parts: ConsoleParts, call: Call) -> Values:
    every = history.releases(parts.store)
    rows = every[-MOST:]
    same = history.repeated(rows)
    shown = [
        {"number": row.number, "at": row.published_at, "author": row.author, "like": same.get(row.number),
         "activities": len(row.release.rules.activities) if row.release is not None else None}
        for row in reversed(rows)
    ]  # fmt: skip
    return {
        "rows": shown,
        "older": len(every) - len(rows),
        "folder": "://" not in parts.store,
        "zone": rules_of(parts.store).policy.timezone,
        "command": "kairos releases",
    }


def _one(parts: ConsoleParts, call: Call) -> Values:
    number, rows = _number(call), history.releases(parts.store)
    rules = history.release_in(rows, number).rules
    newest_first = [*reversed(rows)]
    newest = next(row.number for row in newest_first if row.release is not None)
    before = next((row for row in newest_first if row.number < number and row.release is not None), None)
    old = before.release.rules if before is not None and before.release is not None else RuleSet()
    before_it = before.number if before is not None else number
    back = None if newest == number or "://" not in parts.store else _back(parts, call, rules)
    return {
        "row": next(row for row in rows if row.number == number),
        "before": before.number if before is not None else None,
        "lines": _told(old, rules) if before is not None else [],
        "newest": newest == number,
        "back": back,
        "may_publish": call.actor.may("publish"),
        "may_at_once": call.actor.may("emergency"),
        "may_submit": call.actor.may("write"),
        "zone": rules_of(parts.store).policy.timezone,
        "title": f"{number}",
        "command": f"kairos rollback {number} --dry-run" if back else f"kairos diff {before_it} {number}",
    }


def _told(old: RuleSet, new: RuleSet) -> list[str]:
    return [line for each in differences(old, new) for line in told_difference(each)]


def _back(parts: ConsoleParts, call: Call, rules: RuleSet) -> Values:
    """What going back to it would do, who has to agree, and whether it lets something out to many."""
    proposal = _proposal(parts, call, rules)
    with Control(parts.store) as control:
        found = approvals.standings(control, proposal, counted(parts, proposal, call.now).people, call.now)
    told = plans_of(proposal, [each.subject for each in found])
    return {
        "idle": proposal.idle,
        "plan": [(each, told[each.subject.name]) for each in found],
        "lines": _told(proposal.before or RuleSet(), proposal.after),
        "refusals": proposal.change.refusals,
        "blasts": bool(blasts_in(proposal.before, proposal.after)),
        "open": [each for each in found if each.state != "approved"],
    }


def _proposal(parts: ConsoleParts, call: Call, rules: RuleSet) -> Proposal:
    return propose(standing(parts.store), rules, call.now, accept_cold=True)


def _number(call: Call) -> int:
    text = call.path["number"]
    if not text.isdecimal() or len(text) > 9:
        raise NotThereError(f"'{text[:20]}' is no number of a release")
    return int(text)


def _rollback(parts: ConsoleParts, call: Call) -> str:
    proposal = _proposal(parts, call, history.release(parts.store, _number(call)).rules)
    if proposal.idle:
        raise AskError("there is nothing to publish: the newest release has the same content")
    expect = number_of_people(call.body.get("expect", ""))
    reason = call.body.get("emergency", "").strip()[:1_000] or None
    reach = counted(parts, proposal, call.now)
    done = publish(proposal, parts.store, None, call.actor, call.now, reach, expect, reason)
    return f"/releases?back={done.number}"


def _submit(parts: ConsoleParts, call: Call) -> str:
    """The way back is agreed to as every other change is."""
    proposal = _proposal(parts, call, history.release(parts.store, _number(call)).rules)
    with Control(parts.store) as control:
        approvals.submit(control, proposal, counted(parts, proposal, call.now).people, call.actor, call.now)
    return "/reviews"


LIST = Screen("/releases", "releases", _list, ("back",))
SCREEN = Screen("/releases/{number}", "release", _one)
DEEDS = (Deed("/releases/{number}/rollback", _rollback, "look"), Deed("/releases/{number}/submit", _submit, "write"))
