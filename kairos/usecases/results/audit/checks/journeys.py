"""Every run of a journey hangs together: an entry first, messages until the end, and after that nothing."""

from __future__ import annotations

from kairos.engine.rule.journey import LEFT, is_part, journey_of
from kairos.usecases.results.audit.book import Book
from kairos.usecases.results.audit.result import Result
from kairos.usecases.results.audit.world import World

_OF_JOURNEYS = """
SELECT DISTINCT key, user_id, occurrence, at, activity, outcome, attempt FROM decisions d
WHERE instr(activity, '.') > 0 OR outcome IN ('match', 'control') AND EXISTS (
  SELECT 1 FROM decisions p WHERE p.occurrence = d.occurrence AND p.activity LIKE d.activity || '.%')
ORDER BY user_id, occurrence, at"""
_BEGINS = ("match", "control")


def check(book: Book, world: World, result: Result) -> None:
    entries: dict[tuple[str, str, str], str] = {}
    ends: dict[tuple[str, str, str], int] = {}
    parts = []
    for key, user, occurrence, at, activity, outcome, attempt in book.ask(_OF_JOURNEYS):
        run = (journey_of(activity), user, occurrence)
        if not is_part(activity):
            entries[run] = outcome
        elif activity.partition(".")[2] == LEFT:
            ends[run] = min(at, ends.get(run, at))
        else:
            first = outcome == "send" and attempt == 1  # a fallback of the last message may come after the end
            parts.append((run, key, at, activity, first))
    for run, key, at, activity, sent in parts:
        if run not in entries:
            if at < world.complete_since:
                result.not_judged["messages older than the oldest decision kept"] += 1
            else:
                result.add(f"{activity} for {run[1]} was decided, and nobody had come into {run[0]}", key)
        elif entries[run] == "control":
            result.add(f"{activity} for {run[1]} was decided, who is in the control group of {run[0]}", key)
        elif sent and run in ends and at > ends[run]:
            result.add(f"{activity} for {run[1]} was sent after the end of {run[0]}", key)
    result.examined = {"runs": len(entries), "messages": len(parts), "ended": len(ends)}
