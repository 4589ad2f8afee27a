"""How many people wait in a journey: at each of its steps, and for a message that is held."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from kairos.adapters.warehouse.opening import open_engine
from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.model import RuleSet
from kairos.usecases.results.sends import held
from kairos.usecases.rules.standing import people_standing
from tests.measured import HOUR, START, keep, valid

JOURNEY = """
journey: {name}
state: live
trigger: {{event: {event}}}
steps:
  - {{id: first, wait: 1h}}
  - {{id: hello, send: [{{channel: sms, template: t}}]}}
  - {{id: second, wait: 2d}}
"""
NAMES = {"welcome": "signup", "we_come": "visit"}  # of SQL's LIKE, the second would be a pattern of the first


@pytest.fixture
def night(tmp_path: Path) -> tuple[Path, RuleSet]:
    """Three people of one journey whose message is held until the morning, one of the other who waits for hers; and
    what one of them would have got of a version on trial, which nobody waits for."""
    files = {
        f"journeys/crm/{name}.yaml": JOURNEY.format(name=name, event=event).encode() for name, event in NAMES.items()
    }
    loaded = valid(
        {**files, "templates/t.sms.liquid": b"hi", "policy.yaml": b"quiet_hours: {from: '22:00', to: '08:00'}\n"}
    )
    assert loaded.rules is not None
    events = [Event(f"s{n}", "signup", START + 21 * HOUR + n, "", {}, f"u{n}") for n in range(3)]
    events.append(Event("v", "visit", START + 22 * HOUR + HOUR // 2, "", {}, "u9"))
    records = [each for each in Simulation(loaded.rules).run(events) if each.at < START + 23 * HOUR]
    trial = [msgspec.structs.replace(each, activity=each.activity.replace("welcome", "we_come"), shadow=True)
             for each in records if each.outcome == "hold"]  # fmt: skip
    keep(tmp_path / "warehouse", loaded, events, [*records, *trial])
    return tmp_path / "warehouse", loaded.rules


def test_a_journey_holds_the_messages_of_its_steps(night: tuple[Path, RuleSet]) -> None:
    with closing(open_engine(night[0])) as engine:
        assert {name: held(engine, name) for name in (*NAMES, "welcome.hello", "wel")} == {
            "welcome": 3, "we_come": 0, "welcome.hello": 3, "wel": 0,
        }  # fmt: skip


def test_at_the_steps_of_a_journey_wait_its_own_people_alone(night: tuple[Path, RuleSet]) -> None:
    found = people_standing(*night, NAMES, START + 23 * HOUR)
    assert found == {"welcome": {"hello": 3}, "we_come": {"first": 1}}
