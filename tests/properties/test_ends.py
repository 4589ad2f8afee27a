"""Where a user has many open matches of one activity, a heap says which are due: their twin asks each of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kairos.engine.event import END_OF_TIME, Event
from kairos.engine.user import ends
from tests.engine_kit import rules
from tests.properties.twins.engine_world import BASE, LATENESS, job, told

ASKED_EACH = 1 << 30
RULES = rules(
    "activity: left\nstate: live\nsend: [{channel: in_app, template: t}]\n"
    "trigger: {per: item, pattern: [{event: added}, {absent: paid}], within: 100s}\n",
    "activity: seen\nstate: live\nsend: [{channel: in_app, template: t}]\n"
    "trigger: {per: item, pattern: [{event: added}, {event: seen}, {absent: paid}], within: 70s}\n",
    "activity: bought\nstate: live\nsend: [{channel: in_app, template: t}]\n"
    "trigger: {per: item, pattern: [{event: seen}, {event: added}, {event: paid}], within: 50s}\n",
)


@st.composite
def streams(draw: st.DrawFn) -> list[Event]:
    """Of one user, in any order: some come too late."""
    kinds, items = st.sampled_from(("added", "added", "seen", "paid")), st.sampled_from("abcde")
    delays = st.sampled_from((0, 0, 0, 5, 90))
    happened = draw(st.lists(st.tuples(kinds, items, st.integers(0, 300), delays), min_size=1, max_size=40))
    return [
        Event(f"e{number}", kind, BASE + 1_000 * second, "", {"item": item}, "u")
        for number, (kind, item, second, _) in enumerate(sorted(happened, key=lambda each: each[2] + each[3]))
    ]


@settings(max_examples=100)
@given(events=streams(), data=st.data())
def test_it_decides_and_keeps_what_asking_each_does(events: list[Event], data: st.DataObject) -> None:
    behind = [data.draw(st.sampled_from((0, 0, 0, 40_000, 200_000))) for _ in events]
    snapshots = data.draw(st.booleans())
    found = []
    for many, slack in ((0, 4), (0, 0), (ASKED_EACH, 4)):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(ends, "MANY", many)
            patched.setattr(ends, "SLACK", slack)
            running, highest, kept = job(RULES, events, snapshots=snapshots), 0, list[bytes]()
            for event, less in zip(events, behind, strict=True):
                running.take(event)
                highest = max(highest, event.time - LATENESS - 1 - less)
                running.advance(highest)
                kept += map(running.codec.encode, running.states.values())
            running.advance(END_OF_TIME)
            found.append((told(running.decisions()), kept))
    assert found[0] == found[1] == found[2]
