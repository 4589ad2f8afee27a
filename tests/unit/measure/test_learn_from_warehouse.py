"""`kairos learn`: from what users did after each variant to numbers.yaml, and from there to what users get."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from kairos.engine.decision import share_of
from kairos.engine.event import Event
from kairos.engine.rule.model import RuleSet
from kairos.usecases.results.learn import learn
from tests.measured import DAY, HOUR, START, play, valid
from tests.unit.cli.cli_kit import run

WELCOME = b"""
activity: welcome
state: live
trigger: {event: signup}
audience: {control_group: 20%}
variants:
  choose: best
  explore: 20%
  of:
    - {name: short, send: [{channel: console}]}
    - {name: long, send: [{channel: console}]}
goal: {event: purchase, within: 7d}
"""
FILES = {"activities/all/welcome.yaml": WELCOME}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `rules` and a `warehouse`: of those who get the short text 30 % buy, of the others 10 %."""
    folder, chance, events = tmp_path_factory.mktemp("shop"), random.Random(5), []
    for number in range(600):
        user, at = f"u{number}", START + number % 5 * DAY + 12 * HOUR
        events.append(Event(f"s{number}", "signup", at, "", {}, user))
        short = share_of(user, "welcome") >= 0.2 and share_of(user, "welcome/variant") < 0.5
        if chance.random() < (0.3 if short else 0.1):
            events.append(Event(f"p{number}", "purchase", at + HOUR, "", {}, user))
    play(folder / "warehouse", valid(FILES), events)
    path = folder / "rules" / "activities" / "all" / "welcome.yaml"
    path.parent.mkdir(parents=True)
    path.write_bytes(WELCOME)
    return folder


def learned(shop: Path, *more: str) -> str:
    asked = ["learn", str(shop / "rules"), "--warehouse", str(shop / "warehouse"), "--as-of", "2026-11-30"]
    result = run(*asked, *more)
    assert result.exit_code == 0, result.output
    return result.stdout


def rules_of(shop: Path) -> RuleSet:
    files = {str(path.relative_to(shop / "rules")): path.read_bytes() for path in (shop / "rules").rglob("*.yaml")}
    rules = valid(files).rules
    assert rules is not None
    return rules


def test_it_writes_what_the_rules_then_do(shop: Path) -> None:
    assert "welcome" in learned(shop, "--dry-run")
    assert not (shop / "rules" / "numbers.yaml").exists()
    learned(shop)
    written = (shop / "rules" / "numbers.yaml").read_text()
    rules = rules_of(shop)
    weights = {variant.name: variant.weight for variant in rules.activities["welcome"].variants}
    assert weights["short"] > 0.85
    assert weights["long"] >= 0.1  # its half of those who explore
    assert 0 < rules.uplift["welcome"] < 0.1  # 10 points, of few users
    learned(shop)
    assert (shop / "rules" / "numbers.yaml").read_text() == written


def test_without_anything_known_all_stays_even(shop: Path) -> None:
    asked = ["learn", str(shop / "rules"), "--warehouse", str(shop / "warehouse"), "--as-of", "2026-10-01", "--dry-run"]
    out = run(*asked).stdout
    assert "50%" in out
    assert "uplift" not in out


def test_other_weights_begin_an_epoch_and_none_falls_below_its_part_of_exploring(shop: Path) -> None:
    learned(shop)
    rules = rules_of(shop)
    weights = {variant.name: variant.weight for variant in rules.activities["welcome"].variants}
    assert min(weights.values()) >= 0.2 / len(weights)
    events = [Event(f"l{n}", "signup", START + 8 * DAY + n, "", {}, f"new{n}") for n in range(200)]
    files = {"activities/all/welcome.yaml": WELCOME, "numbers.yaml": (shop / "rules/numbers.yaml").read_bytes()}
    play(shop / "warehouse", valid(files), events)
    result = run("measure", "lift/welcome", "--by", "variant", "--format", "json", "--warehouse", shop / "warehouse",
                 "--rules", shop / "rules", "--as-of", "2026-11-30")  # fmt: skip
    rows = json.loads(result.stdout)[0]["rows"]
    users = {(row["epoch"], row["variant"]): row["n_treated"] for row in rows}
    assert {epoch for epoch, _ in users} == {1, 2}
    assert users[2, "short"] > 3 * users[2, "long"] > 0


OFFER = """
activity: {name}
state: live
trigger: {{event: signup}}
matching: offers
worth: {{value: 100, uplift: {uplift}, cost: {cost}}}
limits: {{budget: spring}}
send: [{{channel: console}}]
"""


def money(until: str, prices: str = "") -> dict[str, bytes]:
    files = {f"activities/all/{name}.yaml": OFFER.format(name=name, uplift=uplift, cost=cost).encode()
             for name, uplift, cost in (("dear", 0.06, 2), ("cheap", 0.03, 1))}  # fmt: skip
    policy = f"matching: {{offers: {{floor: 0}}}}\nbudgets: {{spring: {{cost: 200, until: {until}}}}}\n"
    return {**files, "policy.yaml": policy.encode(), **({"numbers.yaml": prices.encode()} if prices else {})}


def price_of(folder: Path, files: dict[str, bytes], days: int) -> float:
    """After one signup an hour for so many days, each of which had `dear` at 2 or `cheap` at 1 to choose from."""
    loaded = valid(files)
    assert loaded.rules is not None
    events = [Event(f"s{n}", "signup", START + n * HOUR, "", {}, f"u{n}") for n in range(24 * days + 1)]
    play(folder, loaded, events)
    return learn(folder, loaded.rules, loaded.measures, events[-1].time).prices["spring"]


def test_money_has_the_price_at_which_it_lasts(tmp_path: Path) -> None:
    """A day has cost 25 messages of 2. `dear` brings 6 - 2 for 2, `cheap` 3 - 1 for 1: both 2 a unit of money, so at a
    lower price everybody gets one, and from 2 on nobody."""
    assert price_of(tmp_path / "enough", money("2026-11-04T00:00"), 1) == 0.0  # 150 are left, for 3 days at 50
    assert price_of(tmp_path / "scarce", money("2026-11-06T00:00"), 1) == pytest.approx(2.0, abs=1e-4)
    priced = money("2026-11-06T00:00", "prices: {spring: 1.5}")
    assert price_of(tmp_path / "again", priced, 1) == pytest.approx(2.0, abs=1e-4)  # the price of then is no score
