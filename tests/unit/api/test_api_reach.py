"""What the API submits and publishes is counted and foretold as it is by the commands and the console."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kairos.apps.api.process import api_of
from kairos.usecases.control.verify import verify
from tests.unit.api.conftest import URL, Browser, json_of
from tests.unit.console.world import drafts
from tests.unit.control.desk import HOUR, NUDGE, Desk

SCHEDULED = """activity: blast
state: live
trigger: {schedule: %s}
send: [{channel: email, template: t}]
"""


@pytest.fixture
def shop(desk: Desk, tmp_path: Path) -> object:
    """Eleven people, of whom ten have visited."""
    return api_of(drafts(desk, tmp_path, URL), lambda: desk.now).app()


def test_reviewers_read_whom_a_submission_reaches_and_what_it_would_have_done(desk: Desk, shop: object) -> None:
    ann = Browser(shop, "ann")
    scheduled = {"activities__shop__blast_yaml": SCHEDULED % '{daily: "10:00"}'}
    desk.write(NUDGE.replace("[{channel: email", "[{channel: sms, template: t}, {channel: email"), **scheduled)
    said = ann.post("/api/v1/submissions", json={"files": json_of(desk.files), "backtest": False}).json()
    assert {each["subject"]["name"]: each["missing"] for each in said["standings"]}["nudge"] == ["content", "risk"]
    assert ann.get("/api/v1/reviews/blast").json()["forecast"] == ["its calendar reaches 11 people"]
    desk.write(NUDGE.replace("event: visit", "event: look"), **scheduled)
    assert ann.post("/api/v1/submissions", json={"files": json_of(desk.files)}).status_code == 200
    told = ann.get("/api/v1/reviews/nudge").json()["forecast"]
    assert any(line.startswith("nudge: messages 10 -> 1, people 10 -> 1") for line in told), told


def test_a_blast_goes_out_with_its_number_and_comes_back_with_it_again(desk: Desk, shop: object) -> None:
    ann, eve, otto = (Browser(shop, name) for name in ("ann", "eve", "otto"))
    day = datetime.fromtimestamp((desk.now + 48 * HOUR) / 1000, UTC).strftime("%Y-%m-%dT10:00")
    desk.write(NUDGE, activities__shop__blast_yaml=SCHEDULED % f"{{at: {day}, timezone: UTC}}")
    rules = {"files": json_of(desk.files)}
    ann.post("/api/v1/submissions", json=rules)
    word = {"meaning": eve.get("/api/v1/reviews/blast").json()["review"]["meaning"]}
    assert eve.post("/api/v1/reviews/blast/approve", json=word).json()["state"] == "approved"

    def refused(reader: Browser, path: str, **body: object) -> str:
        said = reader.post(path, json=body)
        assert said.status_code == 422, said.text
        return said.text

    assert "--expect 11" in refused(ann, "/api/v1/releases", **rules)
    assert "is not within 5% of 11" in refused(ann, "/api/v1/releases", **rules, expect=20)
    assert ann.post("/api/v1/releases", json={**rules, "expect": 11}).json()["number"] == 2
    back, again = "/api/v1/releases/1/rollback", "/api/v1/releases/2/rollback"
    assert otto.post(back, json={"emergency": "wrong"}).json()["number"] == 3
    assert "--expect 11" in refused(otto, again, emergency="right")
    assert otto.post(again, json={"emergency": "right", "expect": 11}).json()["number"] == 4
    assert verify(desk.store).problems == []
