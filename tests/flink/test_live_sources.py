"""A running job whose sources are rows: one is added, changed and switched off, and nothing is restarted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.job import LiveJob, event, eventually, now
from harness.rules import watch, write_rules
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.engine.rule.model import EventSchema, Source

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.timeout(600)]


def until_refused(job: LiveJob, user_id: str, reason: str) -> None:
    """Goes on sending logins until one is refused for the reason."""

    def reasons() -> set[str]:
        job.send(event(user_id, "login", now()))
        return {letter["reason"] for letter in job.dead_letters() if letter["key"] == user_id}

    eventually(reasons, lambda found: reason in found)


def test_sources_change_while_it_runs(live_job: Callable[..., LiveJob], tmp_path: Path) -> None:
    store = SqlSourceStore(f"sqlite:///{tmp_path}/control.db")
    store.put(Source("app", {"view": EventSchema({})}), "ann")
    rules = write_rules(tmp_path / "rules", greeting=watch("greeting", "login"))
    job = live_job(rules, f"sources.store=sqlite:///{tmp_path}/control.db")
    job.start().until_running()
    until_refused(job, "early", "unknown_source")

    store.put(Source("shop", {"login": EventSchema({"ip": "string"})}), "ann")

    def welcomed() -> bool:
        job.send(event("welcome", "login", now()))
        return bool(job.decisions("welcome"))

    eventually(welcomed, bool)

    store.put(Source("shop", {"login": EventSchema({"ip": "string"}, ("ip",))}), "ann")
    until_refused(job, "incomplete", "missing_prop")

    store.set("shop", {"enabled": False}, "switched off", "ann")
    until_refused(job, "closed", "disabled_source")
    eventually(job.counters, lambda found: found["sources.adopted"] >= 3)
    assert job.restarts() == 0
