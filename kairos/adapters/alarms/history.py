"""What has happened, as facts: of a warehouse, by the minute; or of the folder of a run on files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kairos.adapters.alarms.records import Facts
from kairos.adapters.files.run_folder import files_of, lines_of, topics_in
from kairos.adapters.warehouse.port import Engine, Parameters
from kairos.engine.alarm.fact import OPTED_OUT, Fact, of_decision, of_receipt
from kairos.engine.event import CONSENT_CHANGED
from kairos.engine.topics import DEAD_LETTERS, DECISIONS, RECEIPTS

DAY = 86_400_000
_DAYS = f"""
SELECT at_ms - at_ms % {DAY} AS day FROM decisions WHERE at_ms > $since UNION
SELECT time_ms - time_ms % {DAY} FROM receipts WHERE time_ms > $since UNION
SELECT time_ms - time_ms % {DAY} FROM events WHERE type = '{CONSENT_CHANGED}' AND time_ms > $since UNION
SELECT at_ms - at_ms % {DAY} FROM crowd_builds WHERE at_ms > $since
ORDER BY 1"""
_DECISIONS = """
SELECT at_ms - at_ms % 60000 AS at, outcome, reason, coalesce(attempt, 1) AS attempt, activity,
       coalesce(channel, '') AS channel, version, count(*) AS n
FROM decisions
WHERE at_ms > $since AND at_ms < $until AND NOT coalesce(shadow, false) AND NOT coalesce(after_end, false)
GROUP BY 1, 2, 3, 4, 5, 6, 7"""
_RECEIPTS = f"""
SELECT time_ms - time_ms % 60000 AS at, status,
       CASE WHEN reason LIKE '{OPTED_OUT}%' THEN '{OPTED_OUT}' END AS reason, activity,
       coalesce(channel, '') AS channel, count(*) AS n
FROM (
    SELECT *, max(CASE WHEN status = 'sent' THEN 1 ELSE 0 END)
                  OVER (PARTITION BY activity, user_id, occurrence, attempt) AS was_sent
    FROM receipts WHERE time_ms > $since AND time_ms < $until AND status IN ('sent', 'delivered', 'failed', 'unknown')
) AS told
WHERE NOT (status = 'delivered' AND was_sent = 1) GROUP BY 1, 2, 3, 4, 5"""
"""As `Facts` counts them."""
_LEFT = f"""
SELECT time_ms - time_ms % 60000 AS at, count(*) AS n FROM events
WHERE type = '{CONSENT_CHANGED}' AND props LIKE '%"on":false%' AND time_ms > $since AND time_ms < $until
GROUP BY 1"""
_SNAPSHOTS = "SELECT at_ms, crowd FROM crowd_builds WHERE n IS NOT NULL AND at_ms > $since AND at_ms < $until"


def of_warehouse(engine: Engine, since: int = 0) -> Iterator[Fact]:
    """By time; later than `since` (epoch ms). A day of them is in memory at once. Raises QueryError."""
    for (day,) in engine.query(_DAYS, {"since": since}).rows:
        yield from _of_day(engine, {"since": max(since, day - 1), "until": day + DAY})


def _of_day(engine: Engine, span: Parameters) -> list[Fact]:
    facts = []
    for at, outcome, reason, attempt, activity, channel, version, n in engine.query(_DECISIONS, span).rows:
        what = of_decision(outcome, reason, attempt)
        if what is not None:
            facts.append(Fact(at, what, activity, channel, n, version))
    for at, status, reason, activity, channel, n in engine.query(_RECEIPTS, span).rows:
        facts += [Fact(at, what, activity, channel, n) for what in of_receipt(status, reason)]
    facts += [Fact(at, "unsubscribe", "", "", n) for at, n in engine.query(_LEFT, span).rows]
    facts += [Fact(at, "snapshot", crowd) for at, crowd in engine.query(_SNAPSHOTS, span).rows]
    return sorted(facts)


def of_run(folder: Path) -> list[Fact]:
    """By time. Raises RunFolderError, OSError."""
    topics = topics_in(folder)
    places = {name: topics[name] for name in (DECISIONS, DEAD_LETTERS) if name in topics}
    receipts = folder / f"{RECEIPTS}.jsonl"
    if receipts.exists():
        places[RECEIPTS] = receipts
    facts, told = [], Facts()
    for topic, path in places.items():
        for file in files_of(path):
            for _, _, line in lines_of(file):
                facts += told.of(topic, line)
    return sorted(facts)
