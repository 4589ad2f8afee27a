"""What OWASP's top ten means for an API, each tried."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.database import Control
from kairos.usecases.control import users
from kairos.usecases.control.rights import Actor
from tests.unit.api.conftest import PASSWORD, URL, Browser, json_of
from tests.unit.control.desk import NOW, NUDGE, Desk

Open = Callable[[str], Browser]
PAUSE = {"activities": ["nudge"]}


def paused(desk: Desk) -> bool:
    return ActivityStates(Control(desk.store)).read().at("nudge", desk.now) == "paused"


# --------------------------------------------------------------------------------------------------------------- CSRF
@pytest.mark.parametrize("token", [None, "", "wrong"])
def test_a_page_of_somebody_else_does_not_know_the_token(desk: Desk, browser: Open, token: str | None) -> None:
    otto = browser("otto")
    del otto.headers["X-CSRF-Token"]
    said = otto.post("/api/v1/pause", json=PAUSE, headers={} if token is None else {"X-CSRF-Token": token})
    assert (said.status_code, said.json()["code"], paused(desk)) == (403, "csrf", False)


def test_the_token_of_another_session_is_none(desk: Desk, browser: Open) -> None:
    otto, vic = browser("otto"), browser("vic")
    said = otto.post("/api/v1/pause", json=PAUSE, headers={"X-CSRF-Token": vic.headers["X-CSRF-Token"]})
    assert (said.status_code, paused(desk)) == (403, False)


def test_a_page_from_elsewhere_is_refused_by_its_origin(desk: Desk, browser: Open) -> None:
    said = browser("otto").post("/api/v1/pause", json=PAUSE, headers={"Origin": "https://evil.test"})
    assert (said.status_code, said.json()["code"], paused(desk)) == (403, "origin", False)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_can_send_is_not_taken(desk: Desk, browser: Open, kind: str) -> None:
    said = browser("otto").post("/api/v1/pause", content=b'{"activities": ["nudge"]}', headers={"Content-Type": kind})
    assert (said.status_code, paused(desk)) == (415, False)


def test_nobody_is_signed_in_from_a_page_of_somebody_else(app: object) -> None:
    said = Browser(app).post(
        "/api/v1/session", json={"name": "vic", "password": PASSWORD}, headers={"Origin": "https://evil.test"}
    )
    assert (said.status_code, "set-cookie" in said.headers) == (403, False)


# ----------------------------------------------------------------------------------------------------------- sessions
def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(app: object) -> None:
    said = Browser(app).post("/api/v1/session", json={"name": "vic", "password": PASSWORD})
    cookie = said.headers["set-cookie"]
    assert cookie.startswith("__Host-kairos=")
    for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert word in cookie
    assert said.headers["cache-control"] == "no-store"


def test_a_session_that_was_there_before_is_not_the_one_after_signing_in(app: object) -> None:
    """Fixation: whoever has planted a cookie knows nothing of the new one."""
    victim = Browser(app)
    victim.cookies.set("__Host-kairos", "planted", domain="kairos.test")
    said = victim.post("/api/v1/session", json={"name": "otto", "password": PASSWORD})
    assert said.status_code == 200
    attacker = Browser(app)
    attacker.cookies.set("__Host-kairos", "planted", domain="kairos.test")
    assert attacker.get("/api/v1/session").status_code == 401


def test_who_has_signed_out_is_out_wherever_the_cookie_was_copied_to(app: object, browser: Open) -> None:
    vic, copied = browser("vic"), Browser(app)
    copied.cookies.update(vic.cookies)
    assert copied.get("/api/v1/activities").status_code == 200
    assert vic.delete("/api/v1/session").status_code == 204
    assert copied.get("/api/v1/activities").status_code == 401


def test_who_guesses_passwords_is_slowed_down(desk: Desk, app: object) -> None:
    client = Browser(app)
    tries = [client.post("/api/v1/session", json={"name": "root", "password": f"guess {n}"}) for n in range(7)]
    assert [said.status_code for said in tries] == [403] * 5 + [429] * 2
    assert int(tries[-1].headers["retry-after"]) >= 1
    assert client.post("/api/v1/session", json={"name": "root", "password": PASSWORD}).status_code == 429
    desk.now += 2_000
    assert client.post("/api/v1/session", json={"name": "root", "password": PASSWORD}).status_code == 200


# --------------------------------------------------------------------------------------------- objects of others (IDOR)
def test_tokens_work_without_a_cookie_and_give_the_rights_of_their_user_only(desk: Desk, app: object) -> None:
    with Control(desk.store) as control:
        secret = users.make_token(control, "vic", "ci", 1, Actor("root", frozenset({"admin"})), NOW)
    client = TestClient(app, base_url=URL)  # type: ignore[arg-type]
    client.headers["Authorization"] = f"Bearer {secret}"
    assert client.get("/api/v1/activities").status_code == 200
    assert (client.post("/api/v1/pause", json=PAUSE).status_code, paused(desk)) == (403, False)


# ----------------------------------------------------------------------------------------------------- mass assignment
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/pause", {**PAUSE, "by": "root"}),
        ("/submissions", {"files": {}, "requested_by": "ann"}),
        ("/reviews/nudge/approve", {"meaning": "0" * 12, "decided_by": "eve"}),
        ("/users", {"name": "x", "roles": [], "password": None, "created_at": 1}),
        ("/users", {"name": "x", "roles": "admin"}),
        ("/session", {"name": "vic", "password": PASSWORD, "roles": ["admin"]}),
    ],
)
def test_nobody_says_more_than_they_are_asked(browser: Open, path: str, body: dict[str, object]) -> None:
    said = browser("root").post(f"/api/v1{path}", json=body)
    assert (said.status_code, said.json()["code"]) == (400, "body")


# ------------------------------------------------------------------------------------------------------ path traversal
OUTSIDE = ("../rules.db", "activities/../../x.yaml", "/etc/passwd", "a/./b.csv", "activities//x.yaml", "..\\x.csv", "")
ODD = (".kairos/control.db", "a\0.csv", "x" * 200 + ".csv")


@pytest.mark.parametrize("path", [*OUTSIDE, *ODD])
def test_a_submission_stays_inside_of_its_folder(desk: Desk, browser: Open, path: str, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    said = browser("ann").post("/api/v1/submissions", json={"files": {**json_of(desk.files), path: "x"}})
    assert (said.status_code, said.json()["code"]) == (422, "refused")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("user", ["..%2f..%2fetc%2fpasswd", "%00", "u1' OR '1'='1", "%ff", "<script>"])
def test_ids_are_only_ever_ids(browser: Open, user: str) -> None:
    said = browser("vic").get(f"/api/v1/people/{user}")
    assert said.status_code in (404, 422)
    assert said.headers["content-type"] == "application/json"
    assert "no-store" in said.headers["cache-control"]


# ------------------------------------------------------------------------------------------------------------- the rest
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"activities": 1}', b"\xff", b'{"activities": ["nudge"]} x'])
def test_what_is_no_body_is_refused_by_what_is_wrong_with_it(desk: Desk, browser: Open, body: bytes) -> None:
    otto = browser("otto")
    said = otto.post("/api/v1/pause", content=body, headers={"Content-Type": "application/json"})
    assert (said.status_code, paused(desk)) == (400, False)


def test_a_body_without_end_is_cut_off(browser: Open) -> None:
    said = browser("otto").post("/api/v1/pause", content=b" " * 100_000, headers={"Content-Type": "application/json"})
    assert said.status_code == 413


def test_a_mistake_of_ours_tells_nothing_of_the_inside(browser: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = browser("vic")
    monkeypatch.setattr("kairos.usecases.control.activities.rules_of", lambda _: 1 / 0)
    said = reader.get("/api/v1/activities")
    assert (said.status_code, said.json()) == (500, {"code": "mistake", "message": "a mistake of ours; the log has it"})


def test_a_broken_rule_is_told_by_its_place_and_a_failing_example_too(desk: Desk, browser: Open) -> None:
    ann = browser("ann")
    broken = {**json_of(desk.files), "activities/shop/nudge.yaml": NUDGE.replace("visit", "{")}
    said = ann.post("/api/v1/submissions", json={"files": broken}).json()
    assert (said["code"], said["findings"][0]["file"]) == ("invalid_rules", "activities/shop/nudge.yaml")
    tested = {**json_of(desk.files), "activities/shop/nudge.test.yaml":
              "tests: [{name: a, events: [{at: 0s, visit: {user_id: u1}}], expect: []}]\n"}  # fmt: skip
    assert "examples failed" in ann.post("/api/v1/submissions", json={"files": tested}).json()["message"]


def test_a_store_without_users_is_open_to_nobody(tmp_path: Path) -> None:
    from kairos.adapters.settings.api import Api, ApiSettings, Rules
    from kairos.apps.api.process import api_of

    settings = ApiSettings(Api(url=URL), Rules(f"sqlite:///{tmp_path}/rules.db"), place=str(tmp_path / "c.yaml"))
    said = TestClient(api_of(settings, lambda: NOW).app(), base_url=URL).get("/api/v1/activities")
    assert (said.status_code, said.json()["code"]) == (403, "no_users")
