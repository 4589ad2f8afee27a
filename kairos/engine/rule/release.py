"""A release: what `kairos publish` writes, the rule store keeps and the job broadcasts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from kairos.engine.rule.journey import Journey
from kairos.engine.rule.model import Activity, Guardrails, RuleSet


class DrainingJourney(msgspec.Struct, frozen=True):
    """An old definition, under which those who were inside go on to its end, and the activities that it is recorded as.

    `until`: event time (ms) after which nobody can be inside any more.
    """

    journey: Journey
    activities: dict[str, Activity]
    until: int


class Release(msgspec.Struct, frozen=True):
    """`number` grows. Events and timers at t use the newest release with `effective_at` (epoch ms) <= t.

    `draining`: old definitions, by version, whose open matches still finish under them (`on_change: drain`), and
    `drain_until` when (event time) the last of these can have done so. `counting_since`: metric key -> event time from
    which on its events are counted (0: since ever). `seeds`: metric key -> user -> what the metric starts from, for
    users of whom the job has not counted anything yet. `draining_journeys`: as `draining`, of those still inside one.
    `shadows`: activity -> the version that stands beside it, on trial. `before`: of an activity that is rolled out, the
    version that the other users have (None: they have none). `texts_before`: the
    templates that such a version has, as they were.
    `sweep`: over so long (ms) everyone inside a journey is to meet the release, whether they do anything or not; 0: at
    their next event.
    """

    number: int
    rules: RuleSet
    effective_at: int = 0
    draining: dict[str, Activity] = {}
    drain_until: dict[str, int] = {}
    counting_since: dict[str, int] = {}
    seeds: dict[str, dict[str, Any]] = {}
    draining_journeys: tuple[DrainingJourney, ...] = ()
    shadows: dict[str, Activity] = {}
    before: dict[str, Activity | None] = {}
    texts_before: dict[str, dict[str, str]] = {}
    sweep: int = 0


_LATER: dict[tuple[str, ...], dict[str, Any]] = {
    (): {
        "kind": "marketing", "theme": "", "part": "", "schedule": None, "pace": None, "topic": None,
        "shadow": None, "rollout": None, "guardrails": msgspec.to_builtins(Guardrails()), "plan": None,
        "matching": None, "worth": None,
    },
    ("limits",): {"send_window": None, "shared": None},
    ("pattern", "steps"): {"within": None},
}  # fmt: skip
"""Where in an activity a field stands that came later -> its name, and the value by which it says nothing."""


class ReleaseError(Exception):
    """Bytes that are no release of this engine."""


def encode(release: Release) -> bytes:
    return msgspec.msgpack.encode(release)


def decode(value: bytes) -> Release:
    """Raises ReleaseError."""
    try:
        return msgspec.msgpack.decode(value, type=Release)
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise ReleaseError(f"not a release: {error}") from None


def activity_version(activity: Activity) -> str:
    """16 hex digits of what the activity means. Enough to tell versions apart, not to withstand who looks for two that
    are alike."""
    return hashlib.blake2b(msgspec.json.encode(what_it_means(activity)), digest_size=8).hexdigest()


def what_it_means(activity: Activity) -> Any:
    """Its content, as JSON has it: title, owner, state, the file's place and its plan do not count, nor for whom or
    beside what it decides.

    A field that came later counts where it says something: an activity without it keeps the version that it had.
    """
    plain = msgspec.structs.replace(
        activity, title="", owner="", state="draft", theme="", plan=None,
        shadow=None, rollout=None, guardrails=Guardrails(),
    )  # fmt: skip
    meaning = msgspec.to_builtins(plain)
    for path, fields in _LATER.items():
        found = meaning
        for name in path:
            found = found[name]
        for told in found if isinstance(found, list | tuple) else (found,):
            for name, nothing in fields.items():
                if told[name] == nothing:
                    del told[name]
    return meaning


def journey_version(journey: Journey, activities: Mapping[str, Activity]) -> bytes:
    """8 bytes of what a journey means, its messages included: by them a run knows that its journey was edited.

    `activities`: those that it is recorded as, by name.
    """
    parts = sorted((name, activity_version(part)) for name, part in activities.items())
    return hashlib.blake2b(msgspec.json.encode([journey, parts]), digest_size=8).digest()
