"""What the rule folder would do, tried before it is published: examples, a preview, a count, a comparison, the plan."""

from __future__ import annotations

from typing import Any

from kairos.adapters.control.database import Control
from kairos.apps.api.control import counted
from kairos.apps.api.endpoint import Call
from kairos.apps.api.looking import people
from kairos.apps.console.measured import DAYS, since_of
from kairos.apps.console.proposed import forecast, proposal_of, would_have_done, would_have_done_is_known
from kairos.apps.console.screen import ConsoleParts, Deed, Problems, Screen, Values
from kairos.apps.console.screens.write import findings_of
from kairos.apps.inputs.people import everyone
from kairos.apps.page.comparison import activity_table, cause_tables
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.load import Loaded
from kairos.engine.rule.model import RuleSet
from kairos.usecases.control import approvals
from kairos.usecases.control.plan import plans_of
from kairos.usecases.errors import NotThereError
from kairos.usecases.people.past import past_of
from kairos.usecases.rules.lint import lint, need_activity
from kairos.usecases.rules.people_then import asked_crowds, told_of_warehouse, unknown_then
from kairos.usecases.rules.preview import preview_of_person, speaking_activities
from kairos.usecases.rules.publish import Proposal
from kairos.usecases.rules.rehearse import rehearse_all
from kairos.usecases.scheduler.foresee import Counted, count

NO_PREVIEWS: Values = {"previews": [], "unknown": ""}


def _values(parts: ConsoleParts, call: Call) -> Values:
    name, user = call.query["activity"], call.query["user"]
    loaded, problems = lint(parts.rules, call.now), Problems()
    values: dict[str, Any] = {**findings_of(loaded, ""), "activity": name, "names": [], "problems": problems}
    if loaded.rules is None:
        return {**values, "rules": None}
    rules = loaded.rules
    if name:
        need_activity(rules, name, "the rules")

    tried = problems.tried
    proposal = tried(lambda: proposal_of(parts, call.now)[0], None)
    return {
        **values,
        "rules": rules,
        "names": sorted({journey_of(each) for each in rules.activities}),
        "rehearsed": rehearse_all(rules, loaded.tests, name or None),
        **(tried(lambda: _previews(parts, loaded, name, user), NO_PREVIEWS) if name and user else NO_PREVIEWS),
        "counted": tried(lambda: _count(parts, rules, name, call.now), None),
        "plan": tried(lambda: _plan(parts, proposal, call.now), []) if proposal is not None else [],
        "changed": proposal is not None and not proposal.change.empty,
        "compared": tried(lambda: _compared(parts, call, proposal), None) if proposal is not None else None,
        "zone": rules.policy.timezone,
        "command": f"kairos test {parts.rules} && kairos publish {parts.rules} --dry-run",
    }


def _previews(parts: ConsoleParts, loaded: Loaded, name: str, user: str) -> Values:
    """Of a person by what she did lately, without her addresses; where there is no warehouse yet, by an example.
    `unknown`: kept crowds that nobody was put into yet, in words.

    Raises NotThereError where nobody knows her.
    """
    assert loaded.rules is not None
    asked = asked_crowds(loaded.rules, name)
    with people(parts).about(user, since_of(parts)) as about:
        past = past_of(about, user, whole=False)
        unknown = [] if about.opened is None else unknown_then(about.opened, asked)
    if not past.people and not past.all and about.opened is not None:
        raise NotThereError(f"nobody is known as {user}: no profile, and no event of the last {DAYS} days")
    examples = loaded.tests.get(name)
    previews = [
        preview_of_person(loaded.rules, spec, user, past, past.people, examples)
        for spec in speaking_activities(loaded.rules, name, "the rules")
    ]
    return {"previews": previews, "unknown": told_of_warehouse(unknown, profiles=True)}


def _count(parts: ConsoleParts, rules: RuleSet, name: str, now: int) -> Counted | None:
    """Of an activity that the calendar begins."""
    if not name or rules.activities[name].schedule is None:
        return None
    return count(rules, name, everyone(None, parts.conf), now)


def _plan(parts: ConsoleParts, proposal: Proposal, now: int) -> list[tuple[approvals.Standing, list[str]]]:
    """What would be submitted, with its differences."""
    with Control(parts.store) as control:
        found = approvals.standings(control, proposal, counted(parts, proposal, now).people, now)
    told = plans_of(proposal, [each.subject for each in found])
    return [(each, told[each.subject.name]) for each in found]


def _compared(parts: ConsoleParts, call: Call, proposal: Proposal) -> Values | None:
    """With the release before, over the warehouse; `pending`: it takes a while, and is asked for by itself. None: there
    is nothing to compare."""
    if proposal.previous is None or proposal.change.empty or parts.warehouse is None:
        return None
    if not call.query["compare"] and not would_have_done_is_known(parts, proposal):
        return {"pending": True}
    found = would_have_done(parts, proposal)
    if found is None:
        return None
    comparison = found.compared.comparison
    return {
        "pending": False,
        "why": found.compared.coverage.why,
        "rows": activity_table(comparison).drawn(),
        "causes": cause_tables(comparison, {}),
    }


def _submit(parts: ConsoleParts, call: Call) -> str:
    proposal, _ = proposal_of(parts, call.now)
    reach, told = counted(parts, proposal, call.now), forecast(parts, proposal)
    with Control(parts.store) as control:
        approvals.submit(control, proposal, reach.people, call.actor, call.now, forecast=told)
    return "/reviews"


SCREEN = Screen("/write/tried", "tried", _values, ("activity", "user", "compare"), slow=("compare",))
DEEDS = (Deed("/write/submit", _submit, "write"),)
