"""Why somebody got something, or nothing: with the kept crowds that she was in then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kairos.adapters.profiles.person import FilePeople
from kairos.engine.crowd.guard import Waivers
from kairos.engine.event import Event
from kairos.engine.rule.load import Loaded, load
from kairos.usecases.control.rights import Actor
from kairos.usecases.crowds.by_hand import import_crowd
from kairos.usecases.crowds.places import Places as CrowdPlaces
from kairos.usecases.people.places import Places
from kairos.usecases.people.timeline import timeline
from tests.measured import DAY, START, keep

FILES = {
    "activities/t/vips.yaml": b"activity: vips\nstate: live\ntrigger: {event: visit}\naudience: {in: [vip]}\n"
    b"send: [{channel: email, template: t}]\n",
    "templates/t.email.liquid": b"Subject: Hi\n\nHi\n",
    "crowds.yaml": b"vip: {members: kept}\n",
    "policy.yaml": b"timezone: UTC\n",
}


@pytest.fixture
def loaded() -> Loaded:
    found = load(FILES)
    assert found.rules is not None, found.findings
    return found


@pytest.mark.parametrize("known", [True, False], ids=["with a profile", "without"])
def test_the_story_knows_the_kept_crowds_of_then(tmp_path: Path, loaded: Loaded, known: bool) -> None:
    """She came into the crowd on the second day, and left it on the fourth."""
    assert loaded.rules is not None
    visits = [Event(f"v{day}", "visit", START + day * DAY, "", {}, "u1") for day in (1, 3, 5)]
    keep(tmp_path / "w", loaded, visits, [])
    crowds = CrowdPlaces(tmp_path / "w", loaded.rules)
    for day, users in ((2, "u1\n"), (4, "u2\n")):
        (tmp_path / "vip.csv").write_text(users)
        at = START + day * DAY
        import_crowd(crowds, "vip", tmp_path / "vip.csv", Actor("ann"), lambda at=at: at, Waivers())
    (tmp_path / "people.json").write_text(json.dumps({"u1": {"email": "a@example.com"}} if known else {}))
    places = Places(loaded.rules, profiles=FilePeople(tmp_path / "people.json"), warehouse=tmp_path / "w")
    story = timeline(places, "u1", "vips").story
    assert story is not None
    told = [line.text for line in story.chapters[0].lines if line.kind == "record"]
    in_it = "-> send by email" if known else "-> suppress: unreachable"
    assert told == ["-> suppress: audience", in_it, "-> suppress: audience"]
