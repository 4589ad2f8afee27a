"""How it goes: newest data, channels, dead letters, alarms; and the buttons that stop a channel, or everything."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from pathlib import Path

from kairos.adapters.settings.delivery import load as load_delivery
from kairos.adapters.settings.gateway import load_sources
from kairos.adapters.settings.seen import Seen
from kairos.adapters.settings.seen import load as load_seen
from kairos.apps.api.endpoint import Call
from kairos.apps.console.firing import firing
from kairos.apps.console.measured import lately_of
from kairos.apps.console.screen import ConsoleParts, Problems, Screen, Values
from kairos.usecases.control.activities import activities, rules_of
from kairos.usecases.operation import channels
from kairos.usecases.operation.dead_letters import Wanted, dead_letters, dead_letters_of_run
from kairos.usecases.operation.sources import list_sources

MOST_LETTERS = 1_000


def _values(parts: ConsoleParts, call: Call) -> Values:
    problems = Problems()
    rules = rules_of(parts.store)
    states = Counter(each.state for each in activities(parts.store, call.now))
    lately, seen = problems.tried(lambda: lately_of(parts), None), problems.tried(lambda: load_seen(parts.conf), Seen())
    return {
        "as_of": lately.as_of if lately is not None else None,
        "sources": problems.tried(lambda: list_sources(load_sources(parts.conf)).entries, {}),
        "states": states,
        "channels": problems.tried(lambda: channels.channels(load_delivery(parts.conf), call.now), []),
        "letters": problems.tried(lambda: _letters(parts.conf, seen.files.output), {}),
        "alarms": problems.tried(lambda: firing(seen.alarms.state), []),
        "runbooks": seen.alarms.runbooks,
        "problems": problems,
        "may_turn": call.actor.may("switch"),
        "may_limit": call.actor.may("limit"),
        "zone": rules.policy.timezone,
        "command": "kairos channel list && kairos dead-letters list",
    }


def _letters(conf: Path, output: str | None) -> dict[str, int]:
    """Reason -> how many, of the first MOST_LETTERS. `output`: of an embedded run."""
    found = dead_letters_of_run(Path(output), Wanted()) if output else dead_letters(load_delivery(conf), Wanted())
    return dict(Counter(each.letter.reason for each in islice(found, MOST_LETTERS)).most_common())


SCREEN = Screen("/health", "health", _values, menu=True)
