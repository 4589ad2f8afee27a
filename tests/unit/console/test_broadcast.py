"""The broadcast wizard: its state is the URL, it is checked and counted, and goes the way of every change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import msgspec
import pytest
from starlette.applications import Starlette

from kairos.adapters.settings.api import Rules
from kairos.apps.console.process import console_of
from kairos.engine.rule.blast import Blast, blast_files
from kairos.usecases.control.history import releases
from tests.unit.api.conftest import URL
from tests.unit.console.conftest import HERE, Reader
from tests.unit.console.world import HOSTILE, drafts
from tests.unit.control.desk import Desk

AT_HOME = "http://127.0.0.1:8090"
SAID = {
    "name": "spring", "theme": "sales", "channel": "email", "title": HOSTILE, "text": "Subject: Spring\n\nIt is here.",
    "at": "2027-03-20T10:00", "waves": "10%, 100%", "every": "15m", "stop_failed": "5%", "control": "10%",
}  # fmt: skip


@pytest.fixture
def app(desk: Desk, tmp_path: Path) -> Starlette:
    return console_of(drafts(desk, tmp_path, URL), lambda: desk.now)


@pytest.fixture
def ann(signed_in: Callable[[str], Reader]) -> Reader:
    return signed_in("ann")


def at(step: str, **more: str) -> str:
    return f"/broadcast?{urlencode({**SAID, 'step': step, **more})}"


def test_each_step_keeps_what_the_others_have_said(ann: Reader) -> None:
    for step in ("who", "what", "when", "pace"):
        text = ann.get(at(step)).text
        assert 'aria-current="step"' in text
        for name in ("name", "at", "waves"):
            assert f'name="{name}" value="{SAID[name]}"' in text
        assert HOSTILE not in text
    assert "It lacks" in ann.get("/broadcast?step=check&name=spring").text
    assert ann.get("/broadcast?step=nothing").status_code == 200


def test_it_is_linted_counted_and_shown_as_files(ann: Reader, tmp_path: Path) -> None:
    early, text = ann.get(at("check")).text, ann.get(at("check", count="yes")).text
    assert "count=yes" in early
    assert "state: live" in text
    assert "<dt>People</dt><dd>11</dd>" in text
    assert "Reachable by email" in text
    assert "kairos count spring" in text
    assert not (tmp_path / "drafts" / "activities" / "sales").exists()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"at": "tomorrow"}, "tomorrow"),
        ({"name": "../../x"}, "expected names"),
        ({"name": "nudge", "theme": "shop"}, "is there already"),
        ({"crowd": "nobody_such"}, "nobody_such"),
        ({"text": "x" * 4_001}, "written as a template"),
    ],
)
def test_what_is_wrong_is_said_and_not_submitted(more: dict[str, str], words: str, ann: Reader, tmp_path: Path) -> None:
    assert words in ann.get(at("check", count="yes", **more)).text
    said = ann.press("/broadcast", csrf=ann.csrf("/"), **{**SAID, **more, "expect": "11"})
    assert said.status_code == 422
    assert not (tmp_path / "drafts" / "activities" / "sales").exists()


@pytest.mark.parametrize("expect", ["", "12", "ten", "-11"])
def test_without_the_number_that_it_reaches_it_is_not_submitted(expect: str, ann: Reader, tmp_path: Path) -> None:
    assert ann.press("/broadcast", csrf=ann.csrf("/"), **SAID, expect=expect).status_code == 422
    assert not (tmp_path / "drafts" / "activities" / "sales").exists()


def test_it_is_submitted_approved_and_published_with_its_number(
    signed_in: Callable[[str], Reader], ann: Reader, desk: Desk
) -> None:
    said = ann.press("/broadcast", csrf=ann.csrf("/"), **SAID, expect="11")
    assert said.headers["Location"] == "/reviews/spring"
    assert "its calendar reaches 11 people" in ann.get("/reviews/spring").text
    assert ann.press("/releases", csrf=ann.csrf("/"), expect="11").status_code == 409  # nobody has agreed
    eve = signed_in("eve")
    for subject in ("spring", "shared"):
        meaning = eve.get(f"/reviews/{subject}").text.partition('name="meaning" value="')[2].partition('"')[0]
        if meaning:
            eve.press(f"/reviews/{subject}", csrf=eve.csrf(f"/reviews/{subject}"), meaning=meaning, decision="approve")
    assert "--expect 11" in ann.press("/releases", csrf=ann.csrf("/")).text
    assert ann.press("/releases", csrf=ann.csrf("/"), expect="11").status_code == 303
    assert "spring" in releases(desk.store)[-1].release.rules.activities  # type: ignore[union-attr]


def test_without_a_goal_or_a_control_group_it_says_what_cannot_be_told(ann: Reader) -> None:
    """A control group alone tells nothing: nobody knows what it did not do."""
    assert "not what it brought" in ann.get(at("check", count="yes")).text
    goal = {"goal": "visit", "goal_within": "3d"}
    whole = ann.get(at("check", count="yes", **goal)).text
    assert "goal: {event: visit, within: 3d}" in whole
    assert 'class="problem"' not in whole
    assert 'class="note"' not in whole
    assert "not how many would have anyway" in ann.get(at("check", **goal, control="")).text
    for one, other in (("goal", "goal_within"), ("goal_within", "goal")):
        lacks = ann.get(at("check", **{**goal, other: ""})).text
        assert "It lacks" in lacks
        assert "step=who" in lacks.partition("It lacks")[2].partition("</p>")[0], one
    assert '<option value="visit">' in ann.get(at("who")).text


def test_who_may_not_write_sees_the_count_and_no_button(signed_in: Callable[[str], Reader]) -> None:
    vic = signed_in("vic")
    text = vic.get(at("check", count="yes")).text
    assert "<dt>People</dt>" in text
    assert 'action="/broadcast" class="turn"' not in text
    assert vic.press("/broadcast", csrf=vic.csrf("/"), **SAID, expect="11").status_code == 403


def test_what_else_would_go_out_with_it_is_counted_too(desk: Desk, tmp_path: Path) -> None:
    """Where nobody has to agree the whole rule folder is published: a blast that waits in it is not let out unseen."""
    settings = drafts(desk, tmp_path, AT_HOME)
    alone = msgspec.structs.replace(settings, rules=Rules(f"sqlite:///{tmp_path}/alone.db"))
    folder = tmp_path / "drafts"
    (folder / "workflow.yaml").unlink()
    place = Path(alone.place)
    place.write_text(place.read_text().replace(desk.store, alone.rules.store))
    app = console_of(alone, lambda: desk.now)
    reader = Reader(app, base_url=AT_HOME, client=HERE)
    for path, content in blast_files(Blast(**SAID)).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    said = reader.press(
        "/broadcast",
        csrf=reader.csrf(at("check", name="summer", count="yes")),
        **{**SAID, "name": "summer"},
        expect="11",
    )
    assert said.status_code == 422
    assert "spring 11, summer 11" in said.text
    assert not [*folder.rglob("summer.yaml")]
