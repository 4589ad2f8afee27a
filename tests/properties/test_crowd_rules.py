"""Rule crowds over history against the slow, obvious way: a loop over a user's events, and the rules' own evaluator."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kairos.engine.crowd.select import select_of
from kairos.engine.crowd.spec import HistoryCrowd
from kairos.engine.expression import parse
from kairos.engine.expression.scope import Facts
from kairos.engine.rule.model import RuleSet
from kairos.usecases.crowds.past import past_of
from kairos.usecases.crowds.places import Places
from tests.unit.warehouse.warehouse_kit import DAY, NOON, event, fill

FUNCTIONS = ("count", "total", "avg", "min", "max", "distinct", "first", "last", "first_of", "last_of")
USERS = [f"u{n}" for n in range(25)]
PROFILES = {user: {"level": n % 7, "city": ["Bonn", "Ulm"][n % 2]} for n, user in enumerate(USERS) if n % 3}
VALUES = [0, 1, 2.5, -3, 1e15, "text", "7", True, None, [1], 2.5]
Asked = tuple[str, Callable[[list[dict[str, Any]]], Any]]
"""How it is written, and what it is of a user's events."""


def events() -> list[dict[str, Any]]:
    chance, found = random.Random(7), []
    for user in USERS[:-3]:
        for n in range(chance.randrange(9)):
            time = NOON - chance.choice([0, 1, DAY - 1, DAY, DAY + 1, chance.randrange(9 * DAY), -5])
            props = {name: chance.choice(VALUES) for name in ("a", "b") if chance.random() < 0.8}
            found.append(event(f"{user}-{n}", time, user_id=user, type=chance.choice(["buy", "look"]), props=props))
    return found


EVENTS = events()


def is_number(value: Any) -> bool:
    return type(value) in (int, float)


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    function = draw(
        st.sampled_from(["count", "total", "avg", "min", "max", "distinct", "first", "last", "first_of", "last_of"])
    )
    type_, window = draw(st.sampled_from(["buy", "look"])), draw(st.sampled_from([None, 1, 3]))
    prop, least = draw(st.sampled_from(["a", "b"])), draw(st.none() | st.sampled_from([0, 2]))
    written = [type_ if function in ("count", "first", "last") else f"{type_}.{prop}"]
    written += [f"{window}d"] if window is not None else []
    written += [f"b >= {least}"] if least is not None else []

    def value(happened: list[dict[str, Any]]) -> Any:
        these = [
            e
            for e in happened
            if e["type"] == type_
            and e["time"] <= NOON
            and (window is None or e["time"] > NOON - window * DAY)
            and (least is None or (is_number(e["props"].get("b")) and e["props"]["b"] >= least))
        ]
        these.sort(key=lambda e: (e["time"], e["source"], e["id"]))
        values = [e["props"][prop] for e in these if e["props"].get(prop) is not None]
        numbers = [v for v in values if is_number(v)]
        match function:
            case "count":
                return len(these)
            case "first" | "last":
                return NOON - these[0 if function == "first" else -1]["time"] if these else None
            case "first_of" | "last_of":
                return values[0 if function == "first_of" else -1] if values else None
            case "distinct":
                return len({float(v) if is_number(v) else repr(v) for v in values}) or None
        if not numbers:
            return None
        return {"total": sum, "avg": lambda n: sum(n) / len(n), "min": min, "max": max}[function](numbers)

    return f"{function.removesuffix('_of')}({', '.join(written)})", value


@st.composite
def questions(draw: st.DrawFn) -> tuple[str, list[Asked]]:
    """A condition with `{0}`, `{1}`, ... in place of what it asks of the past."""
    parts = draw(st.lists(asked(), min_size=1, max_size=3))
    wholes = []
    for n in range(len(parts)):
        sign, number = draw(st.sampled_from([">=", "<", "==", "!="])), draw(st.sampled_from([0, 1, 2, 2.5, 86_400_000]))
        wholes.append(
            draw(
                st.sampled_from(
                    [
                        f"{{{n}}} {sign} {number}",
                        f"not ({{{n}}} {sign} {number})",
                        f"exists({{{n}}})",
                        f"{{{n}}} * 2 + profile.level {sign} {number}",
                        f"coalesce({{{n}}}, profile.level) {sign} {number}",
                        f"profile.city == 'Ulm' and {{{n}}} {sign} {number}",
                        f"{{{n}}} in [1, 2.5, 'text']",
                    ]
                )
            )
        )
    return f" {draw(st.sampled_from(['and', 'or']))} ".join(f"({whole})" for whole in wholes), parts


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("warehouse")
    fill(folder, events=EVENTS, profiles=PROFILES, rules=RuleSet(profile={"level": "integer", "city": "string"}))
    return folder


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(questions())
def test_the_same_members(warehouse: Path, question: tuple[str, list[Asked]]) -> None:
    condition, parts = question
    where = condition.format(*(written for written, _ in parts))
    obvious = parse(condition.format(*(f"profile.h{n}" for n in range(len(parts))))).predicate()
    places = Places(warehouse, RuleSet(profile={"level": "integer", "city": "string"}))
    with places.asking() as engine:
        past = past_of(engine, places, NOON, lambda _: False)
        found = sorted(user for (user,) in engine.query(select_of(HistoryCrowd(where), past)).rows)
    expected = []
    for user in {e["user_id"] for e in EVENTS if e["time"] <= NOON} | PROFILES.keys():
        scope = Facts()
        own = [e for e in EVENTS if e["user_id"] == user]
        scope.profile = {**PROFILES.get(user, {}), **{f"h{n}": value(own) for n, (_, value) in enumerate(parts)}}
        if obvious(scope):
            expected.append(user)
    assert found == sorted(expected), where
