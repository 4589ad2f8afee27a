"""How long after the moment: `python -m benchmarks.latency [--rounds N] [--quick | --write]`.

One job on real Kafka. Three delays, in seconds, over a number of rounds each: from the moment that an absence is due,
in a topic that has gone silent, to its decision in Kafka (the lateness is part of it); from saving a changed rule file
to the first event that the new rule is applied to; from creating a topic to the first decision about an event in it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from benchmarks.kit.broker import kafka
from benchmarks.kit.command import arguments, report
from benchmarks.kit.page import grid
from harness.job import MINUTE, LiveJob, event, now
from harness.rules import UNPAID, watch, write_activity, write_rules
from kairos.adapters.kafka.topics import create_topics

AHEAD_MS = 3_000
PATIENCE_SECONDS = 60.0


def until(seen: Callable[[], bool]) -> int:
    """Epoch ms at which it was first seen."""
    limit = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        if time.monotonic() > limit:
            raise RuntimeError(f"nothing within {PATIENCE_SECONDS:.0f} s")
        time.sleep(0.02)
    return now()


def due(job: LiveJob, number: int) -> int:
    moment = now() + AHEAD_MS
    job.send(event(f"silent{number}", "order_created", moment - 10 * MINUTE, order_id="o"))
    return until(lambda: bool(job.decisions(f"silent{number}"))) - moment


def rule_change(job: LiveJob, rules: Path, number: int) -> int:
    write_activity(rules, f"round{number}", watch(f"round{number}", f"login{number}"))
    saved = now()

    def decided() -> bool:
        job.send(event(f"login{number}", f"login{number}", now()))
        return bool(job.decisions(f"login{number}"))

    until(decided)
    decided_at: int = min(record["at"] for record in job.decisions(f"login{number}"))
    return decided_at - saved


def new_topic(job: LiveJob, number: int) -> int:
    topic = f"events.{job.name}.app{number}"
    create_topics(job.topics.bootstrap, [topic], 2)
    created = now()
    late = created - 11 * MINUTE  # due long ago: it waits for nothing but to be read
    job.topics.send(topic, event(f"fresh{number}", "order_created", late, order_id="o"))
    return until(lambda: bool(job.decisions(f"fresh{number}"))) - created


def measure(rounds: int, folder: Path) -> dict[str, list[int]]:
    rules = write_rules(folder / "rules", unpaid=UNPAID)
    with kafka(folder, "heartbeat") as bootstrap, closing(LiveJob(folder / "job", bootstrap, rules)) as job:
        job.start().until_running()
        due(job, -1)  # the first of everything is start-up
        turns = range(rounds)
        return {
            "an absence is due -> its decision": [due(job, turn) for turn in turns],
            "a rule file is saved -> the first event it applies to": [rule_change(job, rules, turn) for turn in turns],
            "a topic is created -> a decision from it": [new_topic(job, turn) for turn in turns],
        }


def table(measured: dict[str, list[int]]) -> str:
    rows = [
        (name, f"{statistics.median(delays) / 1000:.2f} s", f"{max(delays) / 1000:.2f} s")
        for name, delays in measured.items()
    ]
    return "\n".join(grid(("from -> to", "median", "longest"), rows))


def main() -> None:
    given = arguments(__doc__, rounds=(10, 1))
    with tempfile.TemporaryDirectory() as name:
        text = table(measure(given.rounds, Path(name)))
    report("latency", given, text)


if __name__ == "__main__":
    main()
