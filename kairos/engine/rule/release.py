"""A release: what `kairos publish` writes, the rule store keeps and the job broadcasts."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from kairos.engine.rule.model import Activity, RuleSet


class Release(msgspec.Struct, frozen=True):
    """`number` grows. Events and timers at t use the newest release with `effective_at` (epoch ms) <= t.

    `draining`: old definitions, by version, whose open matches still finish under them (`on_change: drain`), and
    `drain_until` when (event time) the last of these can have done so. `counting_since`: metric key -> event time from
    which on its events are counted (0: since ever). `seeds`: metric key -> user -> what the metric starts from, for
    users of whom the job has not counted anything yet.
    """

    number: int
    rules: RuleSet
    effective_at: int = 0
    draining: dict[str, Activity] = {}
    drain_until: dict[str, int] = {}
    counting_since: dict[str, int] = {}
    seeds: dict[str, dict[str, Any]] = {}


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
    """16 hex digits of what the activity means: title, owner, state and file layout do not count."""
    meaning = msgspec.structs.replace(activity, title="", owner="", state="draft")
    return hashlib.blake2b(msgspec.json.encode(meaning), digest_size=8).hexdigest()
