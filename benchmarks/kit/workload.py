"""What engine, job and peers are measured with: the same rules, in YAML for us and as data for them, and events."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from benchmarks.peers.handwritten import Rule

START = 1_763_778_000_000
STEP_MS = 6
MINUTE = 60_000
HOUR = 60 * MINUTE
TYPES = 333
"""So many that 1,000 rules, three for each type, find one for themselves."""

Made = tuple[str, int, bytes]
"""User, time in ms, envelope."""


def rules_of(count: int) -> list[Rule]:
    """The types in groups, and three rules for each group, so that an event is the first step of three (of one, where
    there is one rule): sequences, and every second an absence."""
    groups = max(1, count // 3)
    types = [[f"t{number}" for number in range(group, TYPES, groups)] for group in range(groups)]
    return [
        Rule(
            name=f"rule_{number}",
            first=types[number // 3 % groups],
            second=types[(number // 3 + 1) % groups],
            least=280 + number % 20,
            within=10 * MINUTE,
            absent=number % 2 == 1,
        )
        for number in range(count)
    ]


def yaml_of(rule: Rule) -> str:
    """The activity."""
    last = "absent" if rule.absent else "event"
    first, second = (f"[{', '.join(types)}]" for types in (rule.first, rule.second))
    steps = f"[{{event: {first}, as: a, where: amount >= {rule.least}}}, {{{last}: {second}, as: b}}]"
    trigger = f"{{pattern: {steps}, within: {rule.within // MINUTE}m}}"
    return f"activity: {rule.name}\nstate: live\ntrigger: {trigger}\n"


def write_rules(folder: Path, texts: Iterable[str]) -> Path:
    """A rule folder of these activities, in YAML."""
    place = folder / "activities" / "bench"
    place.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts):
        (place / f"rule_{number}.yaml").write_text(text)
    return folder


def events(count: int, users: int, step: int = STEP_MS) -> Iterator[Made]:
    """One every `step` ms, users and types at random."""
    chance = random.Random(7)
    for number in range(count):
        user, moment = f"u{chance.randrange(users)}", START + number * step
        yield user, moment, envelope(number, user, moment, chance)


def envelope(number: int, user: str, moment: int, chance: random.Random, kind: str = "") -> bytes:
    """`kind`: its type, else one at random."""
    props = {"order_id": f"o{number}", "amount": chance.randrange(300), "city": "sz"}
    event = {"id": f"e{number}", "type": kind or f"t{chance.randrange(TYPES)}", "user_id": user, "time": moment}
    return msgspec.json.encode({**event, "source": "shop", "props": props})
