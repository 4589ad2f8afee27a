"""Which verdict of one run answers to which of the other."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Hashable, Iterable

from kairos.engine.compare.verdict import Verdict

Pair = tuple[Verdict | None, Verdict | None]


def pairs(a: Iterable[Verdict], b: Iterable[Verdict], reshaped: Collection[str]) -> list[Pair]:
    """Every verdict of both runs, with its counterpart or None.

    Verdicts pair by (activity, user, occurrence, attempt). Those of `reshaped` activities, whose pattern differs, pair
    by (activity, user, value of `per`, event that began the match, attempt), in the order of time where there are
    several.
    """

    def key(verdict: Verdict) -> Hashable:
        return _by_first_event(verdict) if verdict.record.activity in reshaped else _by_occurrence(verdict)

    waiting = _queues(b, key)
    found: list[Pair] = []
    for verdict in sorted(a, key=_time):
        queue = waiting.get(key(verdict))
        found.append((verdict, queue.popleft() if queue else None))
    found += [(None, verdict) for queue in waiting.values() for verdict in queue]
    return found


def _queues(verdicts: Iterable[Verdict], key: Callable[[Verdict], Hashable]) -> dict[Hashable, deque[Verdict]]:
    queues: defaultdict[Hashable, deque[Verdict]] = defaultdict(deque)
    for verdict in sorted(verdicts, key=_time):
        queues[key(verdict)].append(verdict)
    return queues


def _time(verdict: Verdict) -> tuple[int, str, str]:
    record = verdict.record
    return (record.at, record.occurrence, record.user_id)


def _by_occurrence(verdict: Verdict) -> Hashable:
    record = verdict.record
    return (record.activity, record.user_id, record.occurrence, verdict.attempt)


def _by_first_event(verdict: Verdict) -> Hashable:
    """Steps stand in the order of the pattern, so the first one's first event began the match."""
    record = verdict.record
    first = next((events[0] for events in record.steps.values() if events), "")
    return (record.activity, record.user_id, verdict.part, first, verdict.attempt)
