"""The API: a change from its submission to its release, who may what, and what it tells of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
from starlette.testclient import TestClient

from kairos.apps.api.openapi import ENDPOINTS, document, table
from kairos.usecases.control.rights import RIGHTS
from kairos.usecases.control.verify import verify
from tests.unit.api.conftest import PEOPLE, Browser, json_of
from tests.unit.control.desk import NUDGE, Desk

Open = Callable[[str], Browser]


def test_a_change_from_its_submission_to_its_release(desk: Desk, browser: Open) -> None:
    ann, eve, otto = browser("ann"), browser("eve"), browser("otto")
    desk.write(NUDGE + "priority: 60\n")
    rules = {"files": json_of(desk.files)}
    refused = ann.post("/api/v1/releases", json=rules)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_approved")
    submitted = ann.post("/api/v1/submissions", json=rules).json()
    assert [each["state"] for each in submitted["standings"]] == ["in_review"]
    seen = eve.get("/api/v1/reviews/nudge").json()
    assert "activities.nudge.priority: 50 -> 60" in seen["plan"]
    word = {"meaning": seen["review"]["meaning"], "comment": "good"}
    assert ann.post("/api/v1/reviews/nudge/approve", json=word).status_code == 403
    assert eve.post("/api/v1/reviews/nudge/approve", json={**word, "meaning": "0" * 12}).status_code == 422
    assert eve.post("/api/v1/reviews/nudge/approve", json=word).json()["state"] == "approved"
    assert ann.post("/api/v1/releases", json=rules).json()["number"] == 2
    assert [each["number"] for each in ann.get("/api/v1/releases").json()] == [1, 2]
    assert [d["field"] for d in ann.get("/api/v1/releases/1/diff/2").json()] == ["activities.nudge.priority"]
    paused = otto.post("/api/v1/pause", json={"activities": ["nudge"], "reason": "wrong"}).json()
    assert [each["standing"]["by"] for each in paused] == ["otto"]
    shown = ann.get("/api/v1/activities/nudge").json()
    assert (shown["state"], shown["by_file"], shown["switch"]["reason"]) == ("paused", "live", "wrong")
    rolled = otto.post("/api/v1/releases/1/rollback", json={"emergency": "2 is wrong"}).json()
    assert rolled == {"number": 3, "pausing": ["nudge"]}
    told = [each["what"] for each in ann.get("/api/v1/activities/nudge/history").json()]
    assert {"submitted", "approved", "published", "paused"} <= set(told)
    assert verify(desk.store).problems == []


def test_a_person_is_shown_with_addresses_masked_and_whole_takes_a_right_and_is_logged(
    desk: Desk, browser: Open
) -> None:
    def phone(reader: Browser, query: str = "") -> object:
        said = reader.get(f"/api/v1/people/u1{query}")
        facts = {fact["name"]: fact["value"] for fact in said.json().get("profile", [])}
        return facts.get("phone", said.status_code)

    assert phone(browser("vic")) == "***23"
    assert phone(browser("vic"), "?whole=true") == 403
    assert phone(browser("root"), "?whole=true") == "+447700900123"
    assert verify(desk.store).problems == []


def test_users_are_for_admins_and_no_secret_is_told(browser: Open) -> None:
    root = browser("root")
    added = root.post("/api/v1/users", json={"name": "new", "roles": ["viewer"], "password": "correct horse battery"})
    assert added.json() == {"name": "new", "roles": ["viewer"], "disabled": False}
    assert root.put("/api/v1/users/new/roles", json={"roles": ["author"]}).json()["roles"] == ["author"]
    assert "argon2" not in root.get("/api/v1/users").text
    assert browser("ann").get("/api/v1/users").status_code == 403


# ------------------------------------------------------------------------------------------------------------- rights
@pytest.mark.parametrize("role", sorted(RIGHTS))
def test_no_role_reaches_what_is_not_its_own(role: str, browser: Open) -> None:
    """Whatever is named, whether it is there or not: the right is asked first."""
    name = next(name for name, has in PEOPLE.items() if has.partition(":")[0] == role)
    reader = browser(name)
    for each in ENDPOINTS:
        said = reader.request(each.method, "/api/v1" + re.sub(r"{\w+}", "1", each.path), json={} if each.body else None)
        if each.right in RIGHTS[role]:
            assert said.status_code != 403 or said.json()["code"] == "not_allowed", each
        else:
            assert (said.status_code, said.json()["code"]) == (403, "not_allowed"), each


def test_nobody_gets_anything_without_saying_who(app: object) -> None:
    stranger = Browser(app)
    for each in ENDPOINTS:
        path = "/api/v1" + re.sub(r"{\w+}", "1", each.path)
        assert stranger.request(each.method, path, json={}).status_code == 401, each
        wrong = {"Authorization": "Bearer kairos_wrong"}
        assert stranger.request(each.method, path, json={}, headers=wrong).status_code == 401, each


# ------------------------------------------------------------------------------------------------------- the document
def test_every_operation_is_documented_and_called_by_one_name(browser: Open) -> None:
    found = browser("vic").get("/api/v1/openapi.json").json()
    assert found == json.loads(json.dumps(document()))
    named = [operation["operationId"] for path in found["paths"].values() for operation in path.values()]
    assert len(named) == len(set(named)) == len(ENDPOINTS) + 3
    refs = set(re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(found)))
    assert not [ref for ref in refs if ref[1] not in found["components"][ref[0]]]


def test_what_is_answered_is_what_the_document_says(desk: Desk, browser: Open) -> None:
    found, reader = document(), browser("root")
    for path in ("/activities", "/activities/{name}", "/releases", "/reviews", "/users"):
        schema = found["paths"]["/api/v1" + path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        said = reader.get("/api/v1" + path.replace("{name}", "nudge")).json()
        jsonschema.validate(said, {**schema, "components": found["components"]})


def test_the_page_has_the_paths_that_there_are() -> None:
    page = Path("docs/api.md").read_text(encoding="utf-8")
    assert table() in page, "run: kairos api --paths, and put it into docs/api.md"


def test_it_tells_of_itself(app: object) -> None:
    client = TestClient(app, base_url="https://kairos.test")  # type: ignore[arg-type]
    client.get("/api/v1/activities")
    assert 'kairos_api_requests_total{status="401"} 1.0' in client.get("/metrics").text
    assert (client.get("/live").status_code, client.get("/ready").status_code) == (200, 200)
