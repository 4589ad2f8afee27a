"""From a release to a `Program`: everything that can be done once, before the first event.

The program is indexed by event type, so that an event costs what the rules that it touches cost. Compiling again after
a change reuses every activity whose meaning is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from copy import deepcopy
from typing import Any
from zoneinfo import ZoneInfo

from kairos.engine.channel import ADDRESSES
from kairos.engine.crowd.membership import Membership, compile_crowds
from kairos.engine.crowd.spec import RuleCrowd
from kairos.engine.event import CONSENT_CHANGED, JOURNEY_STEP
from kairos.engine.expression import JavaScript, compile_condition, parse
from kairos.engine.expression.compile import compile_tree
from kairos.engine.expression.condition import Condition
from kairos.engine.expression.foreseen import foreseen
from kairos.engine.expression.reads import Reads
from kairos.engine.expression.scope import UTC
from kairos.engine.expression.tree import Node
from kairos.engine.metric.compiled import CompiledMetric
from kairos.engine.pattern import compile_pattern
from kairos.engine.policy.spec import REMEMBERED_AT_MOST, Policy
from kairos.engine.rule.changes.origin import origin_of
from kairos.engine.rule.changes.rollout import rollouts_of, without
from kairos.engine.rule.changes.trial import in_force, trial_of
from kairos.engine.rule.compiled import (
    CompiledActivity,
    CompiledGoal,
    CompiledOpening,
    CompiledSend,
    CompiledVariant,
    CompiledWorth,
    Predicate,
    Value,
)
from kairos.engine.rule.compiled_journey import CompiledJourney, compile_journey, messages_of
from kairos.engine.rule.content.rendering import Renderer, renderer_of
from kairos.engine.rule.handlers import Handlers
from kairos.engine.rule.journey import Journey, conditions_of, expressions_of, journey_of
from kairos.engine.rule.model import MEASURED, Activity, Goal, Send, Worth
from kairos.engine.rule.reads.codes import codes_in_data
from kairos.engine.rule.reads.followed import followed_in
from kairos.engine.rule.reads.metric_readers import metrics_of_crowd
from kairos.engine.rule.reads.patterns import kept_props, opening, reads_of
from kairos.engine.rule.reads.spoken_of import heard_crowds
from kairos.engine.rule.release import DrainingJourney, Release, activity_version

WEEK_AND_A_DAY = 8 * 86_400_000  # a calendar week began at most so long ago, in any time zone


class Program:
    """A compiled release: immutable once built. `shadow`: what decides on trial beside it; None: nothing does."""

    def __init__(self, release: Release, previous: Program | None, max_runs: int, script: JavaScript | None) -> None:
        rules = in_force(release.rules)
        self.number = release.number
        self.effective_at = release.effective_at
        self.policy: Policy = rules.policy
        self.lists = _lists(self.policy)
        self.dedup = min(rules.policy.dedup, REMEMBERED_AT_MOST)
        self.rules = rules
        self.script = script
        self.max_runs = max_runs
        self.zone = ZoneInfo(rules.policy.timezone)
        self.content = self._renderer(previous)
        self.crowds: dict[str, Membership] = compile_crowds(rules.crowds, rules.kept)
        self._seeds = release.seeds
        self.metrics = {name: CompiledMetric(spec, self.zone) for name, spec in sorted(rules.metrics.items())}
        self.metrics_by_key = {metric.key: metric for metric in self.metrics.values()}
        self.metric_wheres = {n: parse(s.where).predicate() for n, s in rules.metrics.items() if s.where}
        known = {} if previous is None or previous.max_runs != max_runs else previous._compiled
        self._compiled: dict[tuple[str, str, tuple[str, ...]], CompiledActivity] = {}
        drained = [part for old in release.draining_journeys for part in old.activities.values()]
        for spec in [*rules.activities.values(), *release.draining.values(), *drained]:
            key = (activity_version(spec), spec.state, (*self._template_key(spec), repr(self._ways(spec))))
            self._compiled[key] = known.get(key) or self._compile(spec, key[0])
        by_version = {(c.name, c.version): c for c in self._compiled.values()}
        self.activities = {a.name: by_version[a.name, activity_version(a)] for a in rules.activities.values()}
        self.draining = {v: by_version[a.name, v] for v, a in release.draining.items()}
        current = {(activity.name, activity.version) for activity in self.activities.values()}
        parts = [by_version[part.name, activity_version(part)] for part in drained]
        self.draining |= {part.version: part for part in parts if (part.name, part.version) not in current}
        running = [journey for name, journey in rules.journeys.items() if name in self.activities]
        self.journeys = {journey.name: self._journey(journey, self.activities) for journey in running}
        self.draining_journeys = {
            old.version: old for draining in release.draining_journeys for old in [self._drained(draining, by_version)]
        }
        self.heard_crowds = {
            name: [self.metrics[metric] for metric in metrics_of_crowd(name, rules) if metric in self.metrics]
            for name in sorted(heard_crowds(rules))
        }
        self.by_type = self._index()
        self.shadow = self._shadow(release)
        self.heard: Set[str] = self.by_type.keys()
        self.prior_metrics: frozenset[str] = self._priors()
        self.scores = {name: parse(group.score).compile() for name, group in self.policy.matching.items()}
        self.followed = followed_in(rules, release.draining.values())
        self.rollouts = rollouts_of(release)
        self.rolled_out = frozenset(rollout.activity for rollout in self.rollouts)
        self._release = release if self.rollouts else None
        self._outside: dict[Set[str], Program] = {}
        if self.rollouts:
            self.heard = self.heard | self.outside(self.rolled_out).heard
        if self.shadow is not None:
            self.heard = self.heard | self.shadow.heard
            self.prior_metrics |= self.shadow.prior_metrics
            self.followed |= self.shadow.followed
        self.cap_horizon = (
            max((r.per for cap in self.policy.caps.values() for r in cap.rules), default=0) + WEEK_AND_A_DAY
        )

    def _shadow(self, release: Release) -> Program | None:
        trial = trial_of(release)
        return None if trial is None else Program(trial, self, self.max_runs, self.script)

    def of(self, user_id: str, is_over: Callable[[str], bool]) -> Program:
        """As this user has it. `is_over`: whether the rollout with this key has been ended."""
        return self.outside(
            frozenset(r.activity for r in self.rollouts if is_over(r.key) or not r.includes(user_id)),
        )

    def outside(self, names: Set[str]) -> Program:
        """For those who are in none of these rollouts."""
        if not names or self._release is None:
            return self
        known = self._outside.get(names)
        if known is None:
            known = self._outside[names] = Program(without(self._release, names), self, self.max_runs, self.script)
        return known

    def _renderer(self, previous: Program | None) -> Renderer:
        """What is parsed already stays so where texts and materials are the same."""
        rules, before = self.rules, previous.rules if previous else None
        same = before and (before.templates, before.materials, before.catalogs.keys()) == (
            rules.templates, rules.materials, rules.catalogs.keys()
        )  # fmt: skip
        return previous.content if previous and same else renderer_of(rules)

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

    def journey_of(self, name: str, version: bytes) -> CompiledJourney | None:
        """The one that a run goes on under: its own where that drains, else the current one; None: it was removed."""
        return self.draining_journeys.get(version) or self.journeys.get(name)

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
        kept = kept_props(spec, *self._ways(spec))
        matcher = compile_pattern(spec.pattern, self._required_condition, kept, self.max_runs)
        begun_by = opening(spec.pattern)
        return CompiledActivity(
            name=spec.name,
            spec=spec,
            version=version,
            origin=origin_of(version, matcher.shape),
            matcher=matcher,
            opening=begun_by.tree if begun_by is not None else None,
            begins=_told_before(begun_by.tree) if begun_by is not None else None,
            where=self._condition(spec.audience.where),
            data=_values(spec.data),
            personal=_personal(spec.data),
            variants=variants,
            goal=self._goal(spec.goal) if spec.goal else None,
            zone=ZoneInfo(spec.active.timezone) if spec.active.timezone else None,
            worth=_worth(spec.worth) if spec.worth is not None else None,
            first_priority=-spec.priority,
        )

    def _drained(
        self, draining: DrainingJourney, by_version: Mapping[tuple[str, str], CompiledActivity]
    ) -> CompiledJourney:
        parts = draining.activities.values()
        return self._journey(draining.journey, {p.name: by_version[p.name, activity_version(p)] for p in parts})

    def _journey(self, journey: Journey, activities: Mapping[str, CompiledActivity]) -> CompiledJourney:
        kept = kept_props(activities[journey.name].spec, *self._ways(activities[journey.name].spec, journey))
        parts = {name: activity for name, activity in activities.items() if journey_of(name) == journey.name}
        return compile_journey(journey, parts, kept, self._required_condition)

    def _ways(self, spec: Activity, journey: Journey | None = None) -> list[Condition | str]:
        """Of the entry of a journey: the conditions and values in which its steps read the events that it has taken."""
        journey = journey or self.rules.journeys.get(spec.name)
        if journey is None:
            return []
        parts = (self.rules.activities.get(journey.part(key)) for key in messages_of(journey))
        return [*conditions_of(journey), *(text for part in parts if part for text in part.data_expressions())]

    def _goal(self, goal: Goal) -> CompiledGoal:
        value = parse(goal.value).compile() if goal.value else None
        reads_steps = goal.where is not None and bool(reads_of(goal.where).steps)
        return CompiledGoal(goal.events, goal.within, self._condition(goal.where), reads_steps, value)

    def _sends(self, spec: Activity, sends: Iterable[Send]) -> tuple[CompiledSend, ...]:
        return tuple(self._send(send, {**spec.data, **send.data}) for send in sends)

    def _send(self, send: Send, data: dict[str, str]) -> CompiledSend:
        values, personal = _values(data), _personal(data)
        variables = self.content.variables(send.template, send.channel) if send.template is not None else ()
        return CompiledSend(send, send.channel, values, personal, variables, codes_in_data(data))

    def _condition(self, condition: Condition | None) -> Predicate | None:
        return None if condition is None else self._required_condition(condition)

    def _required_condition(self, condition: Condition) -> Predicate:
        return compile_condition(condition, self.script)

    def _priors(self) -> frozenset[str]:
        """Metrics read as `prior.x` somewhere: only these are remembered from before each event."""
        texts = [text for spec in self.rules.activities.values() for text in self.rules.asked_about(spec)]
        texts += [crowd.where for crowd in self.rules.crowds.values() if isinstance(crowd, RuleCrowd)]
        texts += [text for journey in self.rules.journeys.values() for text in expressions_of(journey)]
        return frozenset(name for text in texts if "prior." in text for name in parse(text).reads.priors)

    def _index(self) -> dict[str, Handlers]:
        index: dict[str, Handlers] = {}
        parted = {metric.name for metric in self.metrics.values() if metric.per is not None}
        if self.rules.topics:
            index[CONSENT_CHANGED] = Handlers(consents=True)
        for metric in self.metrics.values():
            for event_type in metric.spec.of:
                index.setdefault(event_type, Handlers()).metrics.append(metric)
        for metrics in self.heard_crowds.values():
            for event_type in (event_type for metric in metrics for event_type in metric.spec.of):
                index[event_type].crowds = True
        for activity in [*self.activities.values(), *self.draining.values()]:
            drains_nothing = activity.matcher.stateless and activity.version in self.draining
            for event_type in activity.matcher.types if not drains_nothing else ():
                draining = self.draining.get(activity.version) is activity
                index.setdefault(event_type, Handlers()).add(activity, event_type, draining, parted)
            own = activity.goal if activity.spec.part != "entry" else None  # a journey's is asked by its runs
            for event_type in own.events if own else ():
                index.setdefault(event_type, Handlers()).goals.append(activity)
        for journey in [*self.journeys.values(), *self.draining_journeys.values()]:
            for event_type in (*journey.types, JOURNEY_STEP):
                index.setdefault(event_type, Handlers()).journeys.append(journey)
        return index


def compile_release(
    release: Release, previous: Program | None = None, *, max_runs: int, script: JavaScript | None = None
) -> Program:
    """The release was linted; expressions that do not parse here raise ExpressionError. `script` runs JavaScript."""
    return Program(release, previous, max_runs, script)


def _lists(policy: Policy) -> dict[str, frozenset[str] | None]:
    """The lists that the policy has -> who is on it; None: the profile says so."""
    named = {"black": policy.black, "white": policy.white}
    lists = {name: which.users for name, which in named.items() if which is not None}
    return {name: None if users is None else frozenset(users) for name, users in lists.items()}


def _values(data: Mapping[str, str]) -> dict[str, Value]:
    return {name: parse(text).compile() for name, text in data.items()}


def _told_before(condition: Node) -> CompiledOpening | None:
    known = foreseen(condition)
    if known is None:
        return None
    return CompiledOpening(compile_tree(known, truth=True, zone=UTC), Reads.of(known).priors)


def _worth(worth: Worth) -> CompiledWorth:
    uplift = worth.uplift if worth.uplift == MEASURED else _number(worth.uplift)
    return CompiledWorth(uplift, _number(worth.value), _number(worth.cost))


def _number(said: float | str | None) -> Value | float | None:
    return parse(said).compile() if isinstance(said, str) else said


def _personal(data: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, text in data.items() if not ADDRESSES.isdisjoint(parse(text).reads.profile))
