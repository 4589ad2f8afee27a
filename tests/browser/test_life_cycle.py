"""The whole life of an activity in a real Chromium, with the job on real Kafka: from a mistake to a pause."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from harness.job import LiveJob, event, eventually, now
from harness.world import deliver, write_conf
from kairos.adapters.settings.api import Api, ApiSettings, Rules, Warehouse
from kairos.apps.stack import Stack
from tests.browser.people import add_people, sign_in
from tests.browser.screens import chromium, free_url, served, watched, whole
from tests.unit.control.desk import Desk

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.flink, pytest.mark.stack, pytest.mark.timeout(600)]

FILE, EXAMPLES_FILE = "activities/shop/big_order.yaml", "activities/shop/big_order.test.yaml"
BIG_ORDER = """activity: big_order
title: Thanks for a big order
state: live
trigger: {event: order, where: amount > 100}
send: [{channel: console}]
goal: {event: visit, within: 1d}
"""
EXAMPLES = """tests:
  - name: a big order
    events:
      - {at: 0s, order: {user_id: u1, amount: 200}}
    expect: [{at: 0s, outcome: send, channel: console}]
"""
Decisions = Callable[[dict[str, Any]], bool]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Release 1 is out since a minute; its rules in a folder to write in."""
    made = Desk(tmp_path)
    made.now = now() - 60_000
    made.all_of_it()
    made.publish()
    add_people(made.control)
    for path, content in made.files.items():
        (tmp_path / "drafts" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "drafts" / path).write_bytes(content)
    return made


@pytest.fixture
def job(desk: Desk, stack: Stack, tmp_path: Path) -> Iterator[LiveJob]:
    """On its way up: what is written meanwhile does not wait for it."""
    started = LiveJob(tmp_path / "job", stack.settings.kafka, Path("rules"), [f"rules.store={desk.store}"])
    started.start()
    yield started
    started.close()


@pytest.fixture
def conf(desk: Desk, job: LiveJob, tmp_path: Path) -> Path:
    (tmp_path / "profiles.json").write_text('{"u1": {}, "u2": {}, "u3": {}}')
    sections = {
        "kafka": {
            "bootstrap": job.topics.bootstrap,
            "prefix": f"{job.name}.",
            "events": rf"events\.{job.name}\..*|{job.name}\.receipts",
        },
        "rules": {"store": desk.store},
        "profiles": {"file": str(tmp_path / "profiles.json")},
        "warehouse": {"folder": str(tmp_path / "warehouse"), "group": f"{job.name}-warehouse"},
        "delivery": {"store": f"sqlite:///{tmp_path}/delivery.db", "channels": {"console": {"provider": "console"}}},
    }
    return write_conf(tmp_path / "conf.yaml", sections)


def test_from_a_mistake_to_a_pause(desk: Desk, job: LiveJob, conf: Path, tmp_path: Path) -> None:
    (tmp_path / "warehouse").mkdir()
    api = Api(url=free_url(), rules=str(tmp_path / "drafts"))
    settings = ApiSettings(api, Rules(desk.store), Warehouse(str(tmp_path / "warehouse")), str(conf))
    with ExitStack() as opened:
        address, browser = opened.enter_context(served(settings, None)), opened.enter_context(chromium())
        ann, eve, otto = (opened.enter_context(watched(browser, address)) for _ in range(3))
        for page, name in ((ann, "ann"), (eve, "eve"), (otto, "otto")):
            sign_in(page, name)
        is_written(ann)
        is_submitted_approved_and_published(ann, eve)

        assert job.process is not None
        job.process.until_running()
        until_decided(job, "first", lambda record: record["activity"] == "big_order")
        worker = deliver(conf, "console")
        opened.callback(worker.kill)
        job.send(event("u1", "order", now(), amount=500), event("u2", "order", now(), amount=5))
        receipts = f"{job.name}.receipts"
        eventually(lambda: [one for one in job.topics.read(receipts) if one["user_id"] == "u1"], bool)
        into_the_warehouse(conf)
        is_looked_at(ann)

        otto.goto("/activities/big_order")
        otto.get_by_label("Reason").fill("wrong amount")
        otto.get_by_role("button", name="Pause").click()
        expect(otto.locator(".state.paused").first).to_be_visible()
        paused = now()
        stopped = until_decided(job, "u3", lambda record: record["at"] >= paused + 3_000)
        assert (stopped["outcome"], stopped["reason"]) == ("suppress", "paused")


def is_written(ann: Page) -> None:
    """With a mistake, which is shown at its line and mended; and with an example."""
    ann.goto(f"/write?file={FILE}")
    text = ann.get_by_label(FILE)
    text.fill(BIG_ORDER.replace("event: order", "evnt: order"))
    expect(ann.locator("#findings [data-line='4']").first).to_contain_text("evnt")
    text.fill(BIG_ORDER)
    expect(ann.locator("#findings [data-line].error")).to_have_count(0)
    ann.get_by_role("button", name="Save").click()
    ann.goto(f"/write?file={EXAMPLES_FILE}")
    ann.get_by_label(EXAMPLES_FILE).fill(EXAMPLES)
    ann.get_by_role("button", name="Save").click()
    expect(ann.get_by_label(EXAMPLES_FILE)).to_have_value(EXAMPLES)


def is_submitted_approved_and_published(ann: Page, eve: Page) -> None:
    whole(ann, "/write/tried?activity=big_order&user=u1")
    expect(ann.get_by_role("main")).to_contain_text("1 run, 0 failed")
    expect(ann.get_by_role("main")).to_contain_text("passes every gate")
    ann.get_by_role("button", name="Submit", exact=True).click()
    expect(ann.get_by_role("heading", level=1, name="Reviews")).to_be_visible()
    eve.goto("/reviews/big_order")
    expect(eve.get_by_role("main")).to_contain_text("amount > 100")
    eve.get_by_role("button", name="Approve").click()
    expect(eve.locator(".state.approved")).to_be_visible()
    ann.goto("/reviews")
    ann.get_by_role("button", name="Publish").click()
    expect(ann.get_by_role("status")).to_have_text("Release 2 is out.")


def is_looked_at(ann: Page) -> None:
    """Her timeline shows the message, his why there is none, and the activity its funnel."""
    ann.goto("/people/u1?activity=big_order")
    expect(ann.get_by_role("main")).to_contain_text("the trigger is complete")
    timeline = ann.locator(".story", has_text="big_order")
    expect(timeline.last).to_contain_text("send")
    ann.goto("/people/u2?activity=big_order")
    expect(ann.get_by_role("main")).to_contain_text("amount > 100")
    whole(ann, "/activities/big_order?numbers=yes")
    expect(ann.get_by_text("reach/big_order")).to_be_visible()
    expect(ann.locator("svg.bar")).not_to_have_count(0)


def until_decided(job: LiveJob, user: str, wanted: Decisions) -> dict[str, Any]:
    """Goes on ordering until an order is decided about as wanted."""

    def decisions() -> list[dict[str, Any]]:
        job.send(event(user, "order", now(), amount=500))
        return [record for record in job.decisions(user) if wanted(record)]

    return eventually(decisions, bool)[0]


def into_the_warehouse(conf: Path) -> None:
    command = [sys.executable, "-m", "kairos", "warehouse", "load", "--until-now", "--conf", str(conf)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
