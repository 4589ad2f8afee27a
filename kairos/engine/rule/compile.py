"""From a release to a `Plan`: everything that can be done once, before the first event.

The plan is indexed by event type, so that an event costs what the rules that it touches cost. Compiling again after a
change reuses every activity whose meaning is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.address import ADDRESSES
from kairos.engine.crowd.membership import Membership, compile_crowds
from kairos.engine.expression import JavaScript, compile_condition, parse
from kairos.engine.expression.condition import Condition, Script
from kairos.engine.expression.javascript import script_reads
from kairos.engine.expression.reads import Reads
from kairos.engine.metric.window import WindowedMetric
from kairos.engine.pattern import compile_pattern
from kairos.engine.pattern.graph import is_optional
from kairos.engine.pattern.spec import Step
from kairos.engine.policy.spec import Policy
from kairos.engine.rule.compiled import (
    CompiledActivity,
    CompiledGoal,
    CompiledSend,
    CompiledVariant,
    Predicate,
    Value,
)
from kairos.engine.rule.handlers import Handlers
from kairos.engine.rule.model import Activity, Goal, Send
from kairos.engine.rule.release import Release, activity_version
from kairos.engine.rule.templates import required_variables, template_variables
from kairos.engine.seen import REMEMBERED_AT_MOST
from kairos.engine.user_state import origin_of

WEEK_AND_A_DAY = 8 * 86_400_000  # a calendar week began at most so long ago, in any time zone


class Plan:
    """A compiled release: immutable once built."""

    def __init__(self, release: Release, previous: Plan | None, max_runs: int, script: JavaScript | None) -> None:
        rules = release.rules
        self.number = release.number
        self.effective_at = release.effective_at
        self.policy: Policy = rules.policy
        self.dedup = min(rules.policy.dedup, REMEMBERED_AT_MOST)
        self.rules = rules
        self.script = script
        self.max_runs = max_runs
        self.zone = ZoneInfo(rules.policy.timezone)
        self.crowds: dict[str, Membership] = compile_crowds(rules.crowds)
        self._seeds = release.seeds
        self.metrics = {name: WindowedMetric(spec) for name, spec in sorted(rules.metrics.items())}
        self.metric_wheres = {n: parse(s.where).predicate() for n, s in rules.metrics.items() if s.where}
        known = {} if previous is None or previous.max_runs != max_runs else previous._compiled
        self._compiled: dict[tuple[str, str, tuple[str, ...]], CompiledActivity] = {}
        for spec in [*rules.activities.values(), *release.draining.values()]:
            key = (activity_version(spec), spec.state, self._template_key(spec))
            self._compiled[key] = known.get(key) or self._compile(spec, key[0])
        by_version = {(c.name, c.version): c for c in self._compiled.values()}
        self.activities = {a.name: by_version[a.name, activity_version(a)] for a in rules.activities.values()}
        self.draining = {v: by_version[a.name, v] for v, a in release.draining.items()}
        self.prior_metrics = self._priors()
        self.patterns_read_profile = any(map(_pattern_reads_profile, rules.activities.values()))
        self.by_type = self._index()
        self.cap_horizon = (
            max((r.per for cap in self.policy.caps.values() for r in cap.rules), default=0) + WEEK_AND_A_DAY
        )

    def seed(self, key: str, user_id: str) -> dict[Any, Any]:
        """What a metric of a user starts from: a copy, to be counted on."""
        seeds = self._seeds.get(key)
        return deepcopy(seeds[user_id]) if seeds and user_id in seeds else {}

    def _template_key(self, spec: Activity) -> tuple[str, ...]:
        """The texts that the activity sends; all there are, where one of them may render another."""
        texts = self.rules.templates
        sends = [*spec.send, *(send for variant in spec.variants for send in variant.send)]
        own = tuple(texts.get(f"{send.template}.{send.channel}", "") for send in sends)
        return (*own, *texts.values()) if any("render" in text for text in own) else own

    def compiled(self, name: str, version: str) -> CompiledActivity | None:
        """The definition for something begun under `version`: a draining one, else the current one."""
        return self.draining.get(version) or self.activities.get(name)

    def _compile(self, spec: Activity, version: str) -> CompiledActivity:
        sends = tuple(spec.variants) or ((None,) if spec.send else ())
        variants = tuple(
            CompiledVariant(None, 1.0, self._sends(spec, spec.send))
            if variant is None
            else CompiledVariant(variant.name, variant.weight, self._sends(spec, variant.send))
            for variant in sends
        )
        matcher = compile_pattern(spec.pattern, self._required_condition, kept_props(spec), self.max_runs)
        return CompiledActivity(
            spec=spec,
            version=version,
            origin=origin_of(version, matcher.shape),
            matcher=matcher,
            begins=self._begins(spec.pattern.steps[0]),
            where=self._condition(spec.audience.where),
            data=_values(spec.data),
            personal=_personal(spec.data),
            variants=variants,
            goal=self._goal(spec.goal) if spec.goal else None,
            zone=ZoneInfo(spec.active.timezone) if spec.active.timezone else None,
            first_priority=-spec.priority,
        )

    def _goal(self, goal: Goal) -> CompiledGoal:
        value = parse(goal.value).compile() if goal.value else None
        return CompiledGoal(goal.events, goal.within, self._condition(goal.where), value)

    def _sends(self, spec: Activity, sends: Iterable[Send]) -> tuple[CompiledSend, ...]:
        return tuple(self._send(send, {**spec.data, **send.data}) for send in sends)

    def _send(self, send: Send, data: dict[str, str]) -> CompiledSend:
        values, personal = _values(data), _personal(data)
        if send.template is None:
            return CompiledSend(send, values, personal, (), ())
        templates, name, channel = self.rules.templates, send.template, send.channel
        return CompiledSend(
            send,
            values,
            personal,
            _known_here(template_variables(templates, name, channel)),
            _known_here(required_variables(templates, name, channel)),
        )

    def _condition(self, condition: Condition | None) -> Predicate | None:
        return None if condition is None else self._required_condition(condition)

    def _begins(self, first: Step) -> Predicate | None:
        asked = None if is_optional(first) or isinstance(first.where, Script) else first.where
        return None if asked is None or not parse(asked).reads.event_alone else self._required_condition(asked)

    def _required_condition(self, condition: Condition) -> Predicate:
        return compile_condition(condition, self.script)

    def _priors(self) -> frozenset[str]:
        """Metrics read as `prior.x` somewhere: only these are remembered from before each event."""
        texts = [text for spec in self.rules.activities.values() for text in _texts(spec)]
        texts += [crowd.where for crowd in self.rules.crowds.values() if hasattr(crowd, "where")]
        return frozenset(name for text in texts if "prior." in text for name in parse(text).reads.priors)

    def _index(self) -> dict[str, Handlers]:
        index: dict[str, Handlers] = {}
        for metric in self.metrics.values():
            for event_type in metric.spec.of:
                index.setdefault(event_type, Handlers()).metrics.append(metric)
        for activity in [*self.activities.values(), *self.draining.values()]:
            drains_nothing = activity.matcher.stateless and activity.version in self.draining
            for event_type in activity.matcher.types if not drains_nothing else ():
                draining = self.draining.get(activity.version) is activity
                index.setdefault(event_type, Handlers()).add(activity, event_type, draining)
            for event_type in activity.goal.events if activity.goal else ():
                index.setdefault(event_type, Handlers()).goals.append(activity)
        return index


def compile_release(
    release: Release, previous: Plan | None = None, *, max_runs: int, script: JavaScript | None = None
) -> Plan:
    """The release was linted; expressions that do not parse here raise ExpressionError. `script` runs JavaScript."""
    return Plan(release, previous, max_runs, script)


def _values(data: Mapping[str, str]) -> dict[str, Value]:
    return {name: parse(text).compile() for name, text in data.items()}


def _personal(data: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, text in data.items() if not ADDRESSES.isdisjoint(parse(text).reads.profile))


def _known_here(variables: Iterable[str]) -> tuple[str, ...]:
    """Materials are filled in by whoever renders the message."""
    return tuple(name for name in variables if not name.startswith("material."))


def _reads(condition: Condition) -> Reads:
    return script_reads(condition.js) if isinstance(condition, Script) else parse(condition).reads


def _pattern_reads_profile(spec: Activity) -> bool:
    conditions = [c for step in spec.pattern.steps for c in (step.where, step.until) if c is not None]
    return any(reads.profile or reads.crowds or reads.local_time for reads in map(_reads, conditions))


def _conditions(spec: Activity) -> list[Condition]:
    conditions = [c for step in spec.pattern.steps for c in (step.where, step.until)]
    conditions += [spec.audience.where, spec.goal.where if spec.goal else None]
    return [c for c in conditions if c is not None]


def _texts(spec: Activity) -> list[str]:
    """Every expression text of an activity."""
    value = [spec.goal.value] if spec.goal and spec.goal.value else []
    return [*(c for c in _conditions(spec) if isinstance(c, str)), *value, *_data_texts(spec)]


def _data_texts(spec: Activity) -> list[str]:
    sends = [*spec.send, *(send for variant in spec.variants for send in variant.send)]
    return [text for data in (spec.data, *(send.data for send in sends)) for text in data.values()]


def kept_props(spec: Activity) -> dict[str, frozenset[str]]:
    """Step name -> props of its events that are read later, so must be kept; "" stands for every step.

    Bare names in `data` and in the audience mean the last matched event, which may be of any step. "*" among the props:
    all of them, for a script may read any.
    """
    kept: dict[str, frozenset[str]] = {"": frozenset()}
    for condition in [*_conditions(spec), *_texts(spec)]:
        for step, props in _reads(condition).steps.items():
            kept[step] = kept.get(step, frozenset()) | props
    for condition in [*_data_texts(spec), *([spec.audience.where] if spec.audience.where else [])]:
        kept[""] |= _reads(condition).props
    return kept
