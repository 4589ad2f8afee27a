"""Two schedulers, the one at work killed in the middle of a run: the other goes on, and every user is told the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.job import Topics, eventually
from harness.world import new_database, write_conf
from kairos.adapters.database.connection import open_engine
from kairos.adapters.database.schedule_runs import ScheduleRuns
from kairos.adapters.kafka.due import TOPIC
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

USERS = 300
BLAST = """activity: killed_blast
state: live
trigger: {schedule: {at: SLOT, timezone: UTC, late: now}}
pace: {rate: 50 per 1s}
send: [{channel: webhook}]
"""


def start(conf: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "kairos", "scheduler", "--conf", str(conf)])


def told(topics: Topics) -> list[dict[str, Any]]:
    return [event for event in topics.read(TOPIC) if event.get("props", {}).get("activity") == "killed_blast"]


def test_the_second_goes_on_where_the_first_was_killed(stack: Stack, tmp_path: Path) -> None:
    rules = tmp_path / "rules" / "activities" / "t"
    rules.mkdir(parents=True)
    slot = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M}"
    (rules / "killed_blast.yaml").write_text(BLAST.replace("SLOT", slot))
    (tmp_path / "people.json").write_text(json.dumps({f"u{n}": {} for n in range(USERS)}))
    store = new_database(stack, "scheduler_killed")
    conf = write_conf(
        tmp_path / "conf.yaml",
        {
            "kafka": {"bootstrap": stack.settings.kafka},
            "rules": {"store": str(tmp_path / "rules")},
            "profiles": {"file": str(tmp_path / "people.json")},
            "delivery": {"store": store, "channels": {}},
        },
    )
    topics, first = Topics(stack.settings.kafka), start(conf)
    second = None
    try:
        eventually(lambda: told(topics), lambda found: len(found) >= 100)
        second = start(conf)
        first.kill()
        first.wait()
        found = eventually(lambda: told(topics), lambda found: len({event["id"] for event in found}) == USERS)
        assert Counter(event["user_id"] for event in found).keys() == {f"u{n}" for n in range(USERS)}
        assert {event["id"] for event in found} == {f"sched/killed_blast/{slot}/u{n}" for n in range(USERS)}
        engine = open_engine(store)
        eventually(lambda: ScheduleRuns(engine).of("killed_blast"), lambda runs: [r.state for r in runs] == ["done"])
        engine.dispose()
    finally:
        for process in filter(None, (first, second)):
            process.terminate()
            process.wait()
        topics.close()
