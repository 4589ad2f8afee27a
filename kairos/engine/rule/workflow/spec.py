"""`workflow.yaml` after loading."""

from __future__ import annotations

from typing import Any

import msgspec


class Step(msgspec.Struct, frozen=True):
    """`kind`: a key of `steps.KINDS`; `said`: what the file says of it, by key."""

    kind: str
    said: dict[str, Any]

    @property
    def policy(self) -> str:
        """What it asks for, as text: an approval under another policy is none."""
        return msgspec.json.encode(self.said, order="sorted").decode()


class Path(msgspec.Struct, frozen=True):
    """`when` None: always. `then`: names of steps, in their order."""

    when: str | None
    then: tuple[str, ...]


class Workflow(msgspec.Struct, frozen=True):
    """The first path whose `when` is true is taken."""

    steps: dict[str, Step] = {}
    paths: tuple[Path, ...] = ()
