"""A message to many, step by step: who, what, when, how fast; checked and counted before it is submitted."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from kairos.adapters.control.database import Control
from kairos.adapters.settings.delivery import load as load_delivery
from kairos.apps.api.endpoint import Call
from kairos.apps.api.looking import loaded
from kairos.apps.console.proposed import forecast, proposal_of
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.apps.console.screens.write import findings_of
from kairos.apps.inputs.people import everyone
from kairos.engine.rule.blast import Blast, blast_files
from kairos.engine.rule.model import RuleSet
from kairos.errors import KairosError
from kairos.usecases.control import approvals
from kairos.usecases.control.publish import publish
from kairos.usecases.control.reach import Reach, need_expected, number_of_people, reach_of
from kairos.usecases.errors import AskError, InvalidRulesError
from kairos.usecases.rules import blast as usecase
from kairos.usecases.rules import draft
from kairos.usecases.rules.publish import standing
from kairos.usecases.scheduler.foresee import blasts_in

STEPS: Mapping[str, tuple[str, ...]] = {
    "who": ("crowd", "topic", "control", "goal", "goal_within"),
    "what": ("name", "title", "owner", "theme", "channel", "template", "text"),
    "when": ("at", "timezone", "late"),
    "pace": ("rate", "waves", "every", "stop_failed", "stop_unsubscribed", "until"),
    "check": (),
}
"""Step -> the answers that it asks for."""
FIELDS = tuple(field for fields in STEPS.values() for field in fields)
MOST_TEXT = 4_000
"""Characters of a text that stands in the URL; longer ones are written as a template."""


def _values(parts: ConsoleParts, call: Call) -> Values:
    step = call.query["step"] if call.query["step"] in STEPS else "who"
    found = loaded(parts)
    rules = found.rules
    values: dict[str, Any] = {
        "steps": STEPS,
        "step": step,
        "next_step": _after(step),
        "fields": FIELDS,
        "answers": {name: call.query[name] for name in FIELDS},
        "sound": rules is not None,
        "most_text": MOST_TEXT,
        "command": "kairos schedule",
    }
    if rules is None:
        return {**values, **findings_of(found, "")}
    values |= {"choices": _choices(parts, rules), "zone": rules.policy.timezone}
    return {**values, **_checked(parts, call)} if step == "check" else values


def _after(step: str) -> str:
    names = list(STEPS)
    return names[min(names.index(step) + 1, len(names) - 1)]


def _choices(parts: ConsoleParts, rules: RuleSet) -> Mapping[str, list[str]]:
    channels = {send.channel for each in rules.activities.values() for send in each.send}
    with suppress(KairosError):  # a configuration without delivery: the rules know channels, too
        channels |= load_delivery(parts.conf).delivery.channels.keys()
    return {
        "crowd": sorted(rules.crowds),
        "topic": sorted(rules.topics),
        "goal": sorted(_events(rules)),
        "channel": sorted(channels),
        "theme": sorted({each.theme for each in rules.activities.values()} - {""}),
        "template": sorted({name.partition(".")[0] for name in rules.templates}),
        "timezone": sorted({rules.policy.timezone, "UTC"}),
    }


def _events(rules: RuleSet) -> set[str]:
    """What may be a goal: what sources send, or where any may come what activities wait for; and what is a goal."""
    sent = {event for source in (rules.sources or {}).values() for event in source.events}
    if rules.sources is None:
        sent = {type_ for each in rules.activities.values() for step in each.pattern.steps for type_ in step.types}
    return sent | {event for each in rules.activities.values() if each.goal is not None for event in each.goal.events}


def _checked(parts: ConsoleParts, call: Call) -> dict[str, Any]:
    """What cannot be told says why."""
    blast, problem, found = _blast(call.query), "", None
    values: dict[str, Any] = {
        "missing": usecase.missing(blast), "files": {}, "findings": [], "reached": None, "pending": False,
        "may_write": call.actor.may("write"),
        "at_once": draft.runs_at_once(parts.rules, parts.store),
    }  # fmt: skip
    if values["missing"]:
        return {**values, "problem": ""}
    try:
        looked, files = usecase.look_through(parts.rules, blast, call.now), blast_files(blast)
        values |= {"files": files, **findings_of(looked, next(iter(files)))}
        if looked.rules is not None and call.query["count"]:
            found = usecase.reached(looked.rules, blast.name, everyone(None, parts.conf), call.now)
        values["pending"] = looked.rules is not None and not call.query["count"]
    except KairosError as error:
        problem = str(error)
    command = f"kairos count {blast.name}"
    return {**values, "reached": found, "problem": problem, "command": command}


def _blast(said: Mapping[str, str]) -> Blast:
    """A browser ends lines in its own way."""
    answers = {name: said.get(name, "").strip().replace("\r\n", "\n") for name in FIELDS}
    if len(answers["text"]) > MOST_TEXT:
        raise AskError(f"a text of more than {MOST_TEXT:,} characters is written as a template, and chosen here")
    return Blast(**answers)


def _submit(parts: ConsoleParts, call: Call) -> str:
    """Kept in the rule folder, and asked for: of those who have to agree, or else published."""
    call.actor.need("write")
    blast, expect = _blast(call.body), call.body.get("expect", "")
    if blank := usecase.missing(blast):
        raise AskError(f"it lacks {', '.join(blank)}")
    looked = usecase.look_through(parts.rules, blast, call.now)
    if looked.rules is None:
        raise InvalidRulesError(str(parts.rules), looked.findings)
    previous = standing(parts.store).previous
    before = previous.rules if previous is not None else None
    reach = reach_of(before, looked.rules, lambda: everyone(None, parts.conf), call.now)
    agreed = approvals.workflow_of(before, looked.rules) is not None  # whoever publishes is asked for the others then
    need_expected(reach.of([blast.name] if agreed else blasts_in(before, looked.rules)), number_of_people(expect))
    draft.save_all(parts.rules, parts.store, blast_files(blast), call.actor, call.now)
    at_once = draft.runs_at_once(parts.rules, parts.store)
    return f"/activities/{quote(blast.name)}" if at_once else _ask_for(parts, call, blast.name, reach)


def _ask_for(parts: ConsoleParts, call: Call, name: str, reach: Reach) -> str:
    proposal, files = proposal_of(parts, call.now)
    if approvals.workflow_of(proposal.before, proposal.after) is None:
        expect = number_of_people(call.body.get("expect", ""))
        publish(proposal, parts.store, files, call.actor, call.now, reach, expect)
        return f"/activities/{quote(name)}"
    told = forecast(parts, proposal)
    with Control(parts.store) as control:
        approvals.submit(control, proposal, reach.people, call.actor, call.now, forecast=told)
    return f"/reviews/{quote(name)}"


SCREEN = Screen("/broadcast", "broadcast", _values, (*FIELDS, "step", "count"), menu=True, slow=("count",))
DEEDS = (Deed("/broadcast", _submit, "write"),)
