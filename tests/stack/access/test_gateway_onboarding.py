"""A new source, from nothing to its first decision, while job and gateway run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.job import LiveJob
from harness.rules import watch, write_activity, write_rules
from harness.world import new_database
from kairos.adapters.kafka.topics import create_topics
from kairos.apps.stack import Stack
from tests.access.gateway.gateway_process import eventually, now, running, unique

pytestmark = [pytest.mark.stack, pytest.mark.flink, pytest.mark.slow]

ROOT = Path(__file__).parents[3]


def kairos(*words: str) -> str:
    command = [sys.executable, "-m", "kairos", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=dict(os.environ), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_four_commands_and_no_restart(stack: Stack, tmp_path: Path) -> None:
    """As docs/sources.md has them: rules and sources are rows, which job and gateway follow."""
    source, kafka = unique("shop"), stack.settings.kafka
    database = new_database(stack, source)
    rules = write_rules(tmp_path / "rules", seen=watch("seen", "view"))
    (rules / "sources.yaml").write_text("web: {events: {view: {}}}\n")
    kairos("publish", str(rules), "--store", database)
    create_topics(kafka, [f"events.{source}.before"], 1)
    settings = [f"kafka.events=events\\.{source}.*", f"rules.store={database}", f"sources.store={database}"]
    job = LiveJob(tmp_path / "job", kafka, rules, settings)
    with running(tmp_path / "gateway", kafka, address=database) as gateway:
        try:
            job.start().until_running()
            with (rules / "sources.yaml").open("a") as record:
                record.write(f"{source}: {{events: {{order: {{order_id: string!}}}}}}\n")
            write_activity(rules, "ordered", watch("ordered", "order"))

            kairos("publish", str(rules), "--store", database)
            said = kairos("source", "add", str(rules / "sources.yaml"), "--conf", str(gateway.conf))
            assert f"{source}: added" in said
            assert f"topic events.{source}: made" in said
            key = kairos("source", "key", source, "--conf", str(gateway.conf)).strip()

            def decided() -> list[dict[str, Any]]:
                """A new event each time: one from before the job saw the release is decided by the one before."""
                event = {"id": unique("e"), "type": "order", "user_id": "u1", "time": now(), "props": {"order_id": "o"}}
                gateway.post([event], key)
                return job.decisions("u1")

            decision = eventually(decided)[0]
            assert (decision["activity"], decision["outcome"]) == ("ordered", "match")
        finally:
            job.close()
