"""A crowd of crowds.yaml that is a lookalike: built from the warehouse, refused where it helps nobody."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.cli_kit import run
from tests.unit.warehouse.warehouse_kit import DAY, NOON, event, fill, rows

CROWDS = """
gold: {where: profile.tier == "gold", refresh: 30d}
young: {where: profile.age < 30, refresh: 30d}
like_gold: {lookalike: {seed: gold, size: 60, exclude: [young]}}
like_young: {lookalike: {seed: young, size: 100}}
"""
AS_OF = ["--as-of", "2026-11-02T12:00Z"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 users, 120 of a kind that views wine; half of it is gold. Age is anybody's."""
    folder, chance = tmp_path_factory.mktemp("shop"), random.Random(11)
    users = [f"u{n:03d}" for n in range(400)]
    kind, events = chance.sample(users, 120), list[dict[str, Any]]()
    for user in users:
        for category in chance.choices(["books", "toys", "wine"], k=3) + ["wine"] * (4 if user in kind else 0):
            at = NOON - round(chance.uniform(1, 60) * DAY)
            events.append(event(f"e{len(events)}", at, type="view", user_id=user, props={"category": category}))
    profiles = {
        user: {"tier": "gold" if user in kind[:60] else "none", "age": chance.randint(18, 80)} for user in users
    }
    fill(folder / "w", events=[*events, event("clock", NOON - 1)], profiles=profiles)
    (folder / "rules").mkdir()
    (folder / "rules" / "crowds.yaml").write_text(CROWDS)
    (folder / "rules" / "policy.yaml").write_text("timezone: UTC\n")
    (folder / "kind").write_text("\n".join(kind[60:]))
    return folder


def built(shop: Path, name: str) -> dict[str, Any]:
    where = ["--warehouse", str(shop / "w"), "--rules", str(shop / "rules"), *AS_OF, "--format", "json"]
    done = run("crowds", "build", name, *where)
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found[0]


def test_it_is_built_with_a_score_and_reasons_for_each_member(shop: Path) -> None:
    assert built(shop, "gold")["size"] == 60
    assert built(shop, "young")["status"] == "live"
    row = built(shop, "like_gold")
    assert (row["status"], row["size"], row["n"]) == ("live", 60, 1)
    members = {user for (user,) in rows(shop / "w", "crowd_members WHERE crowd = 'like_gold'", "user_id")}
    young = {user for (user,) in rows(shop / "w", "profiles WHERE age < 30", "user_id")}
    hidden = set((shop / "kind").read_text().split()) - young
    assert len(members & hidden) > 0.8 * len(hidden)
    assert not members & young
    scores = rows(shop / "w", "scores WHERE score = 'like_gold'", "user_id, value, reasons")
    assert {user for user, _, _ in scores} == members
    assert all(0 <= value <= 1 for _, value, _ in scores)
    assert not any("tier" in (reasons or "") for _, _, reasons in scores)


def test_what_helps_nobody_is_refused_and_says_why(shop: Path) -> None:
    built(shop, "young")
    row = built(shop, "like_young")
    assert row["n"] is None
    assert row["status"].startswith("failed: a lookalike of young is refused: of held-out seeds it finds ")


def test_its_fit_can_be_looked_at(shop: Path) -> None:
    built(shop, "gold")
    where = ["--warehouse", str(shop / "w"), "--rules", str(shop / "rules"), *AS_OF, "--format", "json"]
    found = json.loads(run("scores", "fit", "like_gold", *where).stdout)
    assert (found["model"], found["n"]) == ("lookalike", 341)
    assert found["quality"]["recall"] > 2 * found["quality"]["random"]
    assert found["parameters"]["more view with category wine"] > 0
