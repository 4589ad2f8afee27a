"""What an activity sent in the last day, beside what is usual for it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from kairos.adapters.warehouse.opening import open_engine
from kairos.engine.event import Event
from kairos.usecases.results.sends import Sends, lately
from tests.measured import DAY, HOUR, START, play, valid

NUDGE = b"activity: nudge\nstate: live\ntrigger: {event: cart}\nsend: [{channel: console}]\nlimits: {once: 5d}\n"


def events(days: int) -> list[Event]:
    """Two users a day, and at each noon one who was there the day before, and is stopped."""
    return [
        Event(f"e{day}{user}", "cart", START + day * DAY + 12 * HOUR, "", {}, user)
        for day in range(days)
        for user in (f"a{day}", f"b{day}", f"a{day - 1}")
        if user != "a-1"
    ]


def of(folder: Path, days: int) -> Sends:
    play(folder, valid({"activities/all/nudge.yaml": NUDGE}), events(days))
    with closing(open_engine(folder)) as engine:
        found = lately(engine)
    assert found.as_of == START + (days - 1) * DAY + 12 * HOUR
    return found.of["nudge"]


def test_of_enough_days_it_says_what_is_usual_and_what_stops_most(tmp_path: Path) -> None:
    found = of(tmp_path, 10)
    assert (found.today, found.usual) == (2, (2, 2))
    assert found.lost[0][1] == 9


def test_of_few_days_nobody_knows_what_is_usual(tmp_path: Path) -> None:
    assert of(tmp_path, 3).usual is None
