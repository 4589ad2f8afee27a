"""From a draft with a mistake to a release, on the console's screens; and who may not."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette

from kairos.adapters.rules.store import open_rule_store
from kairos.adapters.settings.api import ApiSettings
from kairos.adapters.warehouse.opening import DUCKDB
from kairos.apps.console.process import console_of
from kairos.engine.crowd.guard import LIVE
from kairos.usecases.control.rights import Actor
from kairos.usecases.crowds.build import build_crowds
from kairos.usecases.crowds.places import Places
from kairos.usecases.errors import AskError, ChangedError
from kairos.usecases.rules import draft
from kairos.usecases.rules.draft import Draft
from kairos.usecases.rules.lint import lint
from tests.unit.api.conftest import PASSWORD, URL
from tests.unit.console.conftest import Reader
from tests.unit.console.world import WRITTEN, drafts
from tests.unit.control.desk import NUDGE, Desk

FILE = WRITTEN
ANN = Actor("ann", frozenset({"author"}))


@pytest.fixture
def settings(desk: Desk, tmp_path: Path) -> ApiSettings:
    return drafts(desk, tmp_path, URL)


@pytest.fixture
def folder(settings: ApiSettings) -> Path:
    """In which is written."""
    return Path(settings.api.rules)


@pytest.fixture
def enter(desk: Desk, settings: ApiSettings) -> Callable[[str], Reader]:
    app: Starlette = console_of(settings, lambda: desk.now)

    def enter(name: str) -> Reader:
        reader = Reader(app, base_url=URL, raise_server_exceptions=False)
        said = reader.post("/sign-in", data={"name": name, "password": PASSWORD}, follow_redirects=False)
        assert said.status_code == 303, said.text
        return reader

    return enter


def field(page: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None, page
    return html.unescape(found[1])


def test_from_a_mistake_to_a_release(enter: Callable[[str], Reader], desk: Desk, folder: Path) -> None:
    author, reviewer = enter("ann"), enter("eve")
    page = author.get("/write", params={"file": FILE}).text
    csrf, digest = field(page, "csrf"), field(page, "digest")
    wrong = {"csrf": csrf, "file": FILE, "digest": digest, "text": NUDGE + "priorty: 60\n"}
    line = NUDGE.count("\n") + 1
    assert f'data-line="{line}"' in author.post("/write/looked", data=wrong).text
    mended = {**wrong, "text": (NUDGE + "priority: 60\n").replace("\n", "\r\n")}
    assert "data-line" not in author.post("/write/looked", data=mended).text
    assert author.press("/write", csrf, **{k: v for k, v in mended.items() if k != "csrf"}).status_code == 303
    assert (folder / FILE).read_text() == NUDGE + "priority: 60\n"
    tried = author.get("/write/tried?activity=nudge&user=u1").text
    assert "priority: 50 -&gt; 60" in tried
    assert "1 run, 0 failed" in tried
    assert "passes every gate" in tried
    assert 'class="problem"' not in tried
    assert "pending" not in author.get("/write/tried?activity=nudge&compare=yes").text
    assert author.press("/write/submit", csrf).status_code == 303
    review = author.get("/reviews/nudge").text
    assert "priority: 50 -&gt; 60" in review
    assert "nudge: messages 10 -&gt; 10, people 10 -&gt; 10" in review
    assert "ann may not decide in step content" in review
    assert 'name="decision"' not in review
    meaning = reviewer.get("/reviews/nudge").text
    agreed = {"meaning": field(meaning, "meaning"), "decision": "approve", "comment": ""}
    assert author.press("/reviews/nudge", csrf, **agreed).status_code == 403
    assert author.press("/releases", csrf).status_code == 409  # not approved
    assert reviewer.press("/reviews/nudge", field(meaning, "csrf"), **agreed).status_code == 303
    assert author.press("/releases", csrf).status_code == 303
    latest = open_rule_store(desk.store).latest(0)
    assert latest is not None
    assert (latest.number, latest.rules.activities["nudge"].priority) == (2, 60)


def test_a_first_activity_is_begun_and_opened(enter: Callable[[str], Reader], folder: Path) -> None:
    """An empty file tells nobody what stands in it."""
    author = enter("ann")
    assert '<option value="email">' in author.get("/write").text
    asked = {
        "name": "hello",
        "theme": "shop",
        "event": "visit",
        "unless": "basket",
        "within": "30m",
        "channel": "email",
    }
    said = author.press("/write/begin", **asked)
    assert said.headers["Location"] == "/write?file=activities%2Fshop%2Fhello.yaml"
    opened = author.get(said.headers["Location"]).text
    assert "absent: basket" in opened
    assert "state: draft" in opened
    assert [*folder.glob("activities/shop/hello.*")] != []
    assert "is already there" in author.press("/write/begin", **asked).text
    wrong = author.press("/write/begin", **{**asked, "name": "other", "channel": "mail"})
    assert (wrong.status_code, "did you mean &#39;email&#39;?" in wrong.text) == (422, True)
    assert not [*folder.glob("activities/shop/other.*")]


def test_who_may_not_write_begins_nothing(enter: Callable[[str], Reader], folder: Path) -> None:
    viewer = enter("vic")
    assert "/write/begin" not in viewer.get("/write").text
    asked = {"name": "hello", "theme": "shop", "event": "visit", "channel": "email"}
    assert viewer.press("/write/begin", **asked).status_code == 403
    assert not [*folder.glob("activities/shop/hello.*")]


def test_a_real_person_is_shown_what_her_own_past_leads_to(enter: Callable[[str], Reader], folder: Path) -> None:
    """Without the addresses that a text could tell; whoever did nothing that leads to it is put into an example."""
    (folder / FILE).write_text(NUDGE + "data: {to: profile.email}\n")
    (template,) = folder.glob("templates/t.email.*")
    template.write_text("Subject: Hello\n\nto {{ to }}\n")
    author = enter("ann")
    hers = author.get("/write/tried?activity=nudge&user=u3").text
    assert "u3, in the warehouse" in hers
    assert "passes every gate" in hers
    assert "to ***om" in hers
    assert "u3@example.com" not in hers
    assert "quiet, as in the example &#39;the message&#39;" in author.get("/write/tried?activity=nudge&user=quiet").text
    assert "nobody is known as nemo" in author.get("/write/tried?activity=nudge&user=nemo").text


def test_whoever_has_no_profile_where_there_are_profiles_is_reached_nowhere(
    enter: Callable[[str], Reader], folder: Path
) -> None:
    profiles = folder.parent / "profiles.json"
    profiles.write_text(profiles.read_text().replace('"u4"', '"u4_of_before"'))
    author = enter("ann")
    tried = author.get("/write/tried?activity=nudge&user=u4").text
    assert "u4, in the warehouse" in tried
    assert "stopped by reach: no email for email" in tried
    assert "no email for email" in author.get("/people/u4?activity=nudge").text


def test_whoever_is_in_a_kept_crowd_is_in_it_when_she_is_put_into_an_example(
    enter: Callable[[str], Reader], folder: Path, settings: ApiSettings, desk: Desk
) -> None:
    """And before it is built, the page says why nobody passes."""
    (folder / "crowds.yaml").write_text("lookers: {where: count(look) >= 1, refresh: 1d}\n")
    (folder / FILE).write_text(NUDGE + "audience: {in: [lookers]}\n")
    profiles = folder.parent / "profiles.json"
    profiles.write_text(profiles.read_text().replace('"u4"', '"quiet"'))
    author, path = enter("ann"), "/write/tried?activity=nudge&user=quiet"
    before = author.get(path).text
    assert "nobody was in lookers, unless a profile says so: the warehouse has no snapshot" in before
    assert "stopped by audience" in before
    loaded = lint(folder, desk.now)
    assert loaded.rules is not None
    assert settings.warehouse is not None
    places = Places(Path(settings.warehouse.folder), loaded.rules, loaded.measures, DUCKDB)
    assert [each.status for each in build_crowds(places, ["lookers"], desk.now, lambda: desk.now)] == [LIVE]
    after = author.get(path).text
    assert "nobody was in" not in after
    assert "quiet, as in the example &#39;the message&#39; · passes every gate" in after


BLAST = """activity: blast
state: live
trigger: {schedule: {daily: "10:00"}}
send: [{channel: email, template: t}]
"""


def test_whom_the_calendar_reaches_is_counted_and_kept_with_the_submission(
    enter: Callable[[str], Reader], folder: Path
) -> None:
    (folder / "activities/shop/blast.yaml").write_text(BLAST)
    author = enter("ann")
    tried = author.get("/write/tried?activity=blast").text
    assert "<dt>People</dt><dd>11</dd>" in tried
    assert author.press("/write/submit", author.csrf("/write/tried")).status_code == 303
    assert "its calendar reaches 11 people" in author.get("/reviews/blast").text


def test_why_somebody_got_nothing_is_told_of_whom_only_events_are_known(enter: Callable[[str], Reader]) -> None:
    assert "nothing began: no visit came" in enter("ann").get("/people/quiet?activity=nudge").text


def test_a_history_that_cannot_be_asked_is_said_and_keeps_nobody_from_submitting(
    enter: Callable[[str], Reader], folder: Path, tmp_path: Path
) -> None:
    shutil.rmtree(tmp_path / "warehouse")
    (tmp_path / "warehouse").mkdir()
    (folder / FILE).write_text(NUDGE + "priority: 60\n")
    author = enter("ann")
    assert author.press("/write/submit", author.csrf("/write/tried")).status_code == 303
    assert "what it would have done cannot be told: no warehouse in" in author.get("/reviews/nudge").text


def test_what_is_hostile_in_a_draft_is_text(enter: Callable[[str], Reader]) -> None:
    """Also in the picture of a journey, and where it is an error."""
    author, hostile = enter("ann"), "</textarea><script>alert(1)</script>"
    journey = f"""journey: x
title: "{hostile}"
trigger: {{event: visit}}
steps: [{{exit: done, when: "profile.x == '{hostile}'"}}]
"""
    form = {"csrf": author.csrf("/write?file=policy.yaml"), "file": "journeys/shop/x.yaml", "digest": ""}
    edit = {"deed": "set", "path": hostile, "value": hostile}
    for text in (journey, journey.replace("visit", f"'{hostile}'")):
        for path, more in (("/write/looked", {"at": "5"}), ("/write/edited", edit)):
            said = author.post(path, data={**form, "text": text, **more})
            assert said.status_code == 200
            assert ("<svg xmlns" in said.text) == (text == journey)
            assert "<script>alert" not in said.text


def test_who_may_not_write_is_told_so_whatever_the_form_says(enter: Callable[[str], Reader], folder: Path) -> None:
    reviewer, before = enter("eve"), (folder / FILE).read_bytes()
    page = reviewer.get("/write", params={"file": FILE}).text
    form = {"file": FILE, "digest": field(page, "digest"), "text": "x"}
    for path in ("/write", "/write/submit", "/write/looked", "/write/edited", "/releases"):
        assert reviewer.press(path, field(page, "csrf"), **form).status_code == 403
        assert reviewer.press(path, "guessed", **form).status_code == 403
    assert (folder / FILE).read_bytes() == before


@pytest.mark.parametrize("path", ["../x.yaml", "/etc/x.yaml", ".hidden.yaml", "a/../../x.yaml", "x.py", "out/x.yaml"])
def test_nothing_is_written_outside_of_the_folder(path: str, desk: Desk, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / "out").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AskError, match="no path of a rule file"):
        draft.save(folder, desk.store, Draft(path, "x", ""), ANN, desk.now)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_two_who_write_at_once_do_not_overwrite_each_other(desk: Desk, folder: Path) -> None:
    mine, hers = draft.draft_of(folder, FILE), draft.draft_of(folder, FILE)
    draft.save(folder, desk.store, mine, ANN, desk.now)
    draft.save(folder, desk.store, Draft(FILE, NUDGE + "# hers\n", hers.digest), ANN, desk.now)
    with pytest.raises(ChangedError):
        draft.save(folder, desk.store, Draft(FILE, "mine", mine.digest), ANN, desk.now)


def test_what_would_run_at_once_is_saved_only_where_nobody_has_to_agree(desk: Desk, folder: Path) -> None:
    with pytest.raises(AskError, match="would run at once"):
        draft.save(folder, str(folder), draft.draft_of(folder, FILE), ANN, desk.now)
    at_this_machine = Actor("ann")
    draft.save(folder, str(folder), draft.draft_of(folder, FILE), at_this_machine, desk.now)
