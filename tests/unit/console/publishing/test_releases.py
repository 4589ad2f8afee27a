"""What was published, and the way back, on the console: who may, who has to agree, and what decides then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from kairos.adapters.rules import history as kept
from kairos.adapters.settings.api import Api, ApiSettings, Rules
from kairos.apps.console.process import console_of
from kairos.apps.console.screens import releases
from kairos.usecases.rules.publish import standing
from tests.unit.console.conftest import HERE, Reader
from tests.unit.control.desk import EVE, NUDGE, Desk

BACK = "/releases/1/rollback"


@pytest.fixture
def changed(desk: Desk) -> Desk:
    """Release 2 waits for another event."""
    desk.write(NUDGE.replace("event: visit", "event: basket"))
    desk.all_of_it()
    desk.publish()
    return desk


def trigger(desk: Desk) -> str:
    release = standing(desk.store).previous
    assert release is not None
    return release.rules.activities["nudge"].pattern.steps[0].types[0]


def test_each_release_says_what_it_changed(changed: Desk, signed_in: Callable[[str], Reader]) -> None:
    vic = signed_in("vic")
    listed = vic.get("/releases").text
    assert listed.index("/releases/2") < listed.index("/releases/1")
    second = vic.get("/releases/2").text
    assert ("basket" in second, "It is the newest release." in second) == (True, True)
    assert "/rollback" not in vic.get("/releases/1").text, "a viewer looks"
    assert vic.get("/releases/9").status_code == 404
    assert vic.get("/releases/x").status_code == 404


def test_of_many_the_newest_are_told_and_the_others_counted(
    changed: Desk, signed_in: Callable[[str], Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(releases, "MOST", 1)
    told = signed_in("vic").get("/releases").text
    assert ("/releases/2" in told, "/releases/1" in told, "1 older ones" in told) == (True, False, True)


def test_one_release_reads_no_more_than_it_and_its_neighbours(
    changed: Desk, signed_in: Callable[[str], Reader], monkeypatch: pytest.MonkeyPatch
) -> None:
    for priority in (60, 70, 80):
        changed.write(NUDGE + f"priority: {priority}\n")
        changed.all_of_it()
        changed.publish()
    vic, read, whole = signed_in("vic"), list[bytes](), kept.decode
    monkeypatch.setattr(kept, "decode", lambda body: (read.append(body), whole(body))[1])
    assert vic.get("/releases/5").status_code == 200
    assert len(read) == 2


def test_the_old_rules_decide_again_once_somebody_has_agreed(changed: Desk, signed_in: Callable[[str], Reader]) -> None:
    ann = signed_in("ann")
    assert "Somebody has to agree first." in ann.get("/releases/1").text
    refused = ann.press(BACK)
    assert (refused.status_code, "needs content" in refused.text, trigger(changed)) == (409, True, "basket")
    assert ann.press("/releases/1/submit").headers["location"] == "/reviews"
    changed.approve(EVE)
    assert "Go back to release 1" in ann.get("/releases/1").text
    done = ann.press(BACK)
    assert (done.status_code, done.headers["location"]) == (303, "/releases?back=3")
    assert trigger(changed) == "visit"
    told = ann.get("/releases?back=3").text
    assert ("as in release 1" in told, "brings it back" in told) == (True, True)
    again = ann.press(BACK)
    assert (again.status_code, "the newest release has the same content" in again.text) == (422, True)


def test_an_operator_goes_back_at_once_with_a_reason(changed: Desk, signed_in: Callable[[str], Reader]) -> None:
    otto = signed_in("otto")
    assert signed_in("vic").press(BACK, emergency="mine").status_code == 403
    assert otto.press(BACK).status_code == 403
    assert otto.press(BACK, emergency="12 writes to everybody").status_code == 303
    assert trigger(changed) == "visit"


def test_a_folder_keeps_its_newest_only(local: Reader) -> None:
    told = local.get("/releases").text
    assert ("keeps its newest release only" in told, "1970" in told) == (True, False)
    assert "/rollback" not in local.get("/releases/1").text


def test_without_a_workflow_it_says_what_going_back_changes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for text in (NUDGE, NUDGE.replace("event: visit", "event: basket")):
        desk.write(text)
        del desk.files["workflow.yaml"]
        desk.publish()
    app = console_of(ApiSettings(Api(), Rules(desk.store)), lambda: desk.now)
    told = Reader(app, base_url="http://127.0.0.1:8090", client=HERE).get("/releases/1").text
    back = told[told.index("What going back") :]
    assert ("basket" in back, "visit" in back, "Go back to release 1" in back) == (True, True, True)
