"""Random journeys: steps that nest, waits, choices, messages."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any

Step = dict[str, Any]


KINDS, NESTING = ("send", "send", "wait", "calendar", "wait_for", "exit"), ("choose", "split")


MANY = 20
"""From so many steps on nothing nests any more: a journey has 50 at most."""


GRID = 5
"""Events and waits fall on every fifth hour, so that they often meet."""


class Author:
    """Writes a random journey. The seed alone decides, so hypothesis draws one number, however deep the steps nest."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.ids = (f"m{n}" for n in count())
        self.made = 0

    def journey(self) -> Step:
        each = self.heads()
        one: Step = {
            "journey": "j",
            "state": "live",
            "trigger": {"event": "in", "as": "in_", **({"per": "k"} if each else {})},
            "reenter": "each" if each else self.random.choice(["never", {"after": "5h"}, {"after": "30h"}]),
            "on_suppress": self.random.choice(["go_on", "leave"]),
            "steps": self.steps(3),
        }
        if self.heads():
            one["exit"] = [{"event": "x", "where": "n > 3"}]
        if self.heads():
            one["goal"] = {"event": self.random.choice("gx"), "within": "60h", "value": "n"}
        return one

    def heads(self) -> bool:
        return self.random.random() < 0.5

    def hours(self, most: int) -> int:
        return self.random.randrange(GRID, most + 1, GRID)

    def steps(self, depth: int) -> list[Step]:
        made: list[Step] = []
        known: list[str] = []
        for _ in range(self.random.randint(1, 4) if self.made < MANY else 1):
            nests = depth > 1 and self.made < MANY
            kind = self.random.choice(KINDS + NESTING if nests else KINDS)
            made.append(self.step(kind, depth, known))
            if kind == "send":
                known.append(made[-1]["id"])
        return made

    def step(self, kind: str, depth: int, known: list[str]) -> Step:
        self.made += 1
        one: Step = getattr(self, kind)(depth, known)
        if kind in ("send", "wait") and self.heads():
            one["when"] = self.condition(known)
        return one

    def condition(self, known: list[str]) -> str:
        """On the trigger's prop `n`, and on the messages of the same list before."""
        asked = [f"{word}({name})" for name in known for word in ("sent", "skipped", "not delivered")]
        return self.random.choice(["in_.n > 2", "in_.n > 5", "in_.n < 8", *asked])

    def send(self, _depth: int, _known: list[str]) -> Step:
        message = self.random.choice([{"channel": "webhook"}, {"channel": "sms", "template": "t"}])
        return {"id": next(self.ids), "send": [message]}

    def wait(self, _depth: int, _known: list[str]) -> Step:
        return {"wait": f"{self.hours(40)}h"}

    def calendar(self, _depth: int, _known: list[str]) -> Step:
        return {"wait": {"days": self.random.randint(1, 3), "at": f"{self.random.randrange(0, 24, GRID):02}:00"}}

    def exit(self, _depth: int, _known: list[str]) -> Step:
        return {"exit": "early", "when": "in_.n > 5"}

    def wait_for(self, depth: int, _known: list[str]) -> Step:
        asked = {"event": "v", "where": "n > in_.n", "within": f"{self.hours(30)}h"}
        otherwise = self.steps(depth - 1) if depth > 1 else [{"exit": "cold"}]
        return {"id": next(self.ids), "wait_for": asked, **({"otherwise": otherwise} if self.heads() else {})}

    def choose(self, depth: int, known: list[str]) -> Step:
        ways: list[Step] = [{"when": self.condition(known), "steps": self.steps(depth - 1)} for _ in range(2)]
        return {"choose": ways + ([{"steps": self.steps(depth - 1)}] if self.heads() else [])}

    def split(self, depth: int, _known: list[str]) -> Step:
        arms = [{"name": f"a{n}", "weight": n + 1, "steps": self.steps(depth - 1) if n else []} for n in range(2)]
        return {"id": next(self.ids), "split": arms}
