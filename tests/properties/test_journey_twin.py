"""Journeys against a slow, obvious twin: a generator for each run, that walks the steps and waits where they say.

Random journeys, random users; the twin knows no keys, no deadlines kept in state, no rounds of cases. Times are hours.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from kairos.engine.decision import Record
from kairos.engine.event import Event
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load
from tests.engine_kit import BASE, HOUR
from tests.properties.twins.journey_author import GRID, Author
from tests.properties.twins.journey_walk import Told, Twin


def events_of(entries: dict[int, tuple[int, str]], others: list[tuple[int, str, int, str]]) -> list[Event]:
    """The events of one user; no two entries at one hour, for which of them counts then is a matter of hashes."""
    happened = sorted([(hour, "in", *props) for hour, props in entries.items()] + others)
    return [
        Event(f"e{at:02}", type_, BASE + hour * HOUR, "", {"n": n, "k": k}, "u1")
        for at, (hour, type_, n, k) in enumerate(happened)
    ]


NUMBERS, KEYS, HOURS = st.integers(0, 9), st.sampled_from("ab"), st.integers(0, 30).map(lambda n: n * GRID)


LIVES = st.builds(
    events_of,
    st.dictionaries(HOURS, st.tuples(NUMBERS, KEYS), min_size=2, max_size=5),
    st.lists(st.tuples(HOURS, st.sampled_from("vvvvxg"), NUMBERS, KEYS), min_size=8, max_size=30),
)


# -------------------------------------------------------------------------------------------------------------- both
def told(record: Record) -> Told:
    part = record.activity.partition(".")[2] or "entry"
    reason = record.data["reason"] if part == "left" else record.reason or ""
    return ((record.at - BASE) // HOUR, part, record.outcome, reason)


@settings(max_examples=300, phases=(Phase.reuse, Phase.generate))  # a seed does not shrink
@given(st.integers(0, 2**32 - 1), LIVES, st.booleans())
def test_the_engine_decides_as_the_twin_does(seed: int, events: list[Event], has_phone: bool) -> None:
    journey = Author(seed).journey()
    note(json.dumps(journey))
    folder = {"journeys/t/j.yaml": json.dumps(journey).encode(), "templates/t.sms.liquid": b"hi"}
    loaded = load({**folder, "policy.yaml": b"timezone: UTC\n"})
    assert loaded.rules is not None, loaded.findings
    profiles: dict[str, dict[str, Any]] = {"u1": {"phone": "1"} if has_phone else {}}
    records = list(Simulation(loaded.rules, profiles).run(events))
    assert sorted(map(told, records)) == Twin(journey, has_phone).live(events)
