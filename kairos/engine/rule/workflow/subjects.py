"""What of a change has to be approved, told apart by content: what it means, and what becomes of what runs now."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from kairos.engine.pattern.spec import Pattern
from kairos.engine.policy.spec import Policy
from kairos.engine.rule.changes.change import ActivityChange, Change
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.release import what_it_means
from kairos.engine.rule.workflow.facts import facts_of_activity, facts_of_file, path_of
from kairos.engine.rule.workflow.spec import Step, Workflow

POLICY, WORKFLOW, SHARED = "policy.yaml", "workflow.yaml", "shared"


class Subject(msgspec.Struct, frozen=True):
    """An activity or a journey by name, POLICY, WORKFLOW, or SHARED: all else that activities have in common.

    `meaning`: of its content, but for titles, owners and comments. `plan`: of what it follows, and what becomes of
    matches in flight. Both in hex. `steps`: name -> step, in their order; none: it needs nobody. `texts`: names of its
    templates; of SHARED those of all activities, which are not its own.
    """

    name: str
    meaning: str
    plan: str
    steps: dict[str, Step]
    texts: tuple[str, ...] = ()

    def has(self, field: str) -> bool:
        """Whether this field of the rules is of the subject: "activities.cart_left.limits.caps"."""
        part, _, rest = field.partition(".")
        if part in ("activities", "journeys"):
            return f"{rest}.".startswith(f"{self.name}.")
        if self.name in (POLICY, WORKFLOW):
            return f"{part}.yaml" == self.name
        if part == "templates":
            return (rest.partition(".")[0] in self.texts) != (self.name == SHARED)
        return self.name == SHARED and part not in ("policy", "workflow")


def subjects_of(
    before: RuleSet | None, change: Change, workflow: Workflow, reach: Mapping[str, int | None]
) -> list[Subject]:
    """In the order of their names. `before`: what is published now. `reach`: activity -> people, where counted."""
    old, new = before or RuleSet(), change.release.rules
    found = list(_files(old, new, workflow))
    policy_changed = any(subject.name in (POLICY, WORKFLOW) for subject in found)
    told = {each.activity: each for each in change.changes}
    for name in _wholes(new):
        meaning, was = meaning_of(name, new), meaning_of(name, old)
        if meaning == was:
            continue
        facts = list(
            facts_of_activity(
                old.activities.get(name), _parts(name, new), reach.get(name), policy_changed=policy_changed
            )
        )
        steps = {step: workflow.steps[step] for step in path_of(workflow, facts)}
        plan = _digest([was, _becomes(told.get(name))])
        found.append(Subject(name, meaning, plan, steps, texts_of(name, old, new)))
    return sorted(found, key=lambda subject: subject.name)


def meaning_of(name: str, rules: RuleSet) -> str:
    """Of an activity or a journey with its texts; "": there is none."""
    parts = _parts(name, rules)
    if not parts:
        return ""
    journey = rules.journeys.get(name)
    content: list[Any] = [[part.name, part.state, what_it_means(part)] for part in parts]
    content += [_trial(part) for part in parts if _trial(part) != _trial(_NO_TRIAL)]
    if journey is not None:
        content.append(journey)
    used = _templates(parts)
    content.append(sorted((key, text) for key, text in rules.templates.items() if key.split(".")[0] in used))
    return _digest(content)


def texts_of(name: str, old: RuleSet, new: RuleSet) -> tuple[str, ...]:
    """The templates of an activity or a journey, by name: what it sends, and what it has sent until now."""
    return tuple(sorted(_templates(_parts(name, old)) | _templates(_parts(name, new))))


def meaning_in(subject: str, rules: RuleSet) -> str:
    """Of a subject, by its name, as it is in these rules."""
    return _digest(_FILES[subject](rules)) if subject in _FILES else meaning_of(subject, rules)


def _files(old: RuleSet, new: RuleSet, workflow: Workflow) -> Iterator[Subject]:
    steps = {step: workflow.steps[step] for step in path_of(workflow, list(facts_of_file()))}
    for name, content in _FILES.items():
        was, is_ = content(old), content(new)
        if was != is_:
            texts = [text for each in _wholes(new) for text in texts_of(each, old, new)] if name == SHARED else ()
            yield Subject(name, _digest(is_), _digest(was), steps, tuple(texts))


def _shared(rules: RuleSet) -> RuleSet:
    """What is left of the rules without that which has a subject of its own."""
    used = _templates(list(rules.activities.values()))
    texts = {key: text for key, text in rules.templates.items() if key.split(".")[0] not in used}
    return msgspec.structs.replace(rules, activities={}, journeys={}, policy=Policy(), workflow=None, templates=texts)


_FILES: Mapping[str, Callable[[RuleSet], Any]] = {
    POLICY: lambda rules: rules.policy,
    WORKFLOW: lambda rules: rules.workflow,
    SHARED: _shared,
}


def _wholes(rules: RuleSet) -> list[str]:
    return sorted({journey_of(name) for name in rules.activities})


def _parts(name: str, rules: RuleSet) -> list[Activity]:
    """The activity; of a journey its entry, and after it all other parts."""
    parts = [activity for each, activity in rules.activities.items() if journey_of(each) == name]
    return sorted(parts, key=lambda part: (part.name != name, part.name))


_NO_TRIAL = Activity("", Pattern(()))


def _trial(part: Activity) -> list[Any]:
    """For whom and beside what it decides, which its version does not say."""
    return [part.shadow, part.rollout, part.guardrails]


def _templates(parts: list[Activity]) -> set[str]:
    return {send.template for part in parts for send in part.sends if send.template is not None}


def _becomes(change: ActivityChange | None) -> Any:
    return None if change is None else [change.kind, change.in_flight, change.touched]


def _digest(value: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()
