"""The table of what becomes of a match: it is drawn as it is, it says all that happens, and nothing goes past it."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from kairos.engine.case import life
from kairos.engine.case.table import LEADS_TO, STAGES, TABLE, Action, Input
from kairos.engine.effect import Candidate, Recall, Result
from kairos.engine.user.case import Case
from tests.engine_kit import BASE, event, ms, receipt
from tests.unit.engine.live_user import user
from tools.draw_case import PAGE, page

ENGINE = Path(life.__file__).parents[1]
RULES = (
    "activity: a\ntrigger: {pattern: [{event: order}, {absent: pay}], within: 1m}\n"
    "limits: {caps: [m], send_before: 20m, %s}\naudience: {%s}\ngoal: {event: read, within: 30m}\n"
    "send: [{channel: sms, template: t}, {channel: email, template: t%s}]\n%s"
)
COMPETES = "matching: g\nworth: {value: 1, uplift: 1}\n"
POLICY = (
    "caps: {m: {rules: [{max: 1, per: 5m}], on_exceed: {retry_for: 10m}}}\n"
    "matching: {g: {collect: 30s, per: 6m, losers: retry}}\n"
)
STATUSES = ("sent", "delivered", "clicked", "unknown", "failed", "expired", "recalled", "too_late", "released")
Seen = Counter[tuple[str, str, str | None]]


def test_architecture_shows_the_table_as_it_is() -> None:
    assert page() == PAGE.read_text(), "python tools/draw_case.py --write"


def test_every_action_is_done_by_somebody_and_named_somewhere() -> None:
    used = {action for cells in TABLE.values() for action in cells.values()}
    assert used == LEADS_TO.keys() == life._DO.keys() | {Action.ASK}
    assert {value for name, value in vars(Input).items() if name.isupper()} == TABLE.keys()


def watched(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """(what happened, stage before, stage after) of every step of a case; None: it is kept no more."""
    seen: Seen = Counter()

    def wrap(action: str, does: Callable[[life.Turn], list[Result]]) -> Callable[[life.Turn], list[Result]]:
        def done(turn: life.Turn) -> list[Result]:
            before = turn.case.stage
            results = does(turn)
            kept = any(case is turn.case for case in turn.instant.state.cases)
            seen[action, before, turn.case.stage if kept else None] += 1
            return results

        return done

    monkeypatch.setattr(life, "_DO", {action: wrap(action, does) for action, does in life._DO.items()})
    return seen


def test_what_happens_stands_in_the_table_and_leads_where_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = watched(monkeypatch)
    for seed in range(60):
        live_randomly(Random(seed))
    for action, before, after in seen:
        assert action in {cells.get(before) for cells in TABLE.values()}
        assert after in (None, before, *LEADS_TO[action]), (action, before, after)
    assert {action for action, _, _ in seen} >= LEADS_TO.keys() - {Action.ASK, Action.NOTE}
    assert {before for _, before, _ in seen} >= set(STAGES) - {"noted"}


def live_randomly(chance: Random) -> None:
    """A user with a worker that answers as it likes; events come in order, late and after the end."""
    wishes = chance.choice(("once: 5m", "budget: {sends: 1}")), chance.choice(("", "", "control_group: 60%"))
    fallback, competes = (
        chance.choice(("", ", after: 1m", ", after: 1m, unless: clicked")),
        chance.choice(("", COMPETES)),
    )
    one = user(RULES % (*wishes, fallback, competes), policy=POLICY)
    now = 0
    for place in range(30):
        now += chance.choice((0, 20, 60, 120))
        late = chance.choice((0, 0, 0, 90))
        kind = chance.choice(("order", "order", "pay", "read"))
        effects = one.engine.on_event("u1", one.state, event(f"{max(0, now - late)}s {kind}", place), BASE + now * 1000)
        for effect in effects:
            if isinstance(effect, Candidate | Recall):
                sent = effect.delivery if isinstance(effect, Candidate) else effect
                for status in chance.sample(STATUSES, chance.randint(0, 2)):
                    reason = chance.choice(("", " reason=quiet_hours"))
                    said = f"{now}s a {status} attempt={sent.attempt} channel={sent.channel}{reason}"
                    one.engine.on_event("u1", one.state, receipt(said), BASE + now * 1000)
    one.engine.on_time("u1", one.state, BASE + ms("2d"))


def test_a_case_is_changed_by_its_own_methods_alone() -> None:
    fields = set(Case.__struct_fields__) - {"activity", "version", "occurrence", "channel", "control", "goal_met"}
    for file in sorted(ENGINE.rglob("*.py")):
        if file == ENGINE / "user" / "case.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in targets if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) else ():
                if isinstance(target, ast.Attribute) and "case" in ast.unparse(target.value):
                    assert target.attr not in fields, f"{file}:{node.lineno}"
