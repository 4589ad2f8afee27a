"""What crowds.yaml says. Pure data."""

from __future__ import annotations

from typing import Literal

import msgspec


class Members(msgspec.Struct, frozen=True, tag="members"):
    """A list of users; `users` None: the profile's `crowds` say it (a Redis set)."""

    users: tuple[str, ...] | None


class RuleCrowd(msgspec.Struct, frozen=True, tag="where"):
    """Everyone of whom the expression is true."""

    where: str


class SetCrowd(msgspec.Struct, frozen=True, tag="set"):
    """union | intersect | difference (the first without all the others); parts are names or crowds themselves."""

    operation: Literal["union", "intersect", "difference"]
    parts: tuple[str | Crowd, ...]


class Sample(msgspec.Struct, frozen=True, tag="sample"):
    """A sticky share (0..1) of the users (of another crowd); the salt is the crowd's name."""

    share: float
    of: str | None = None


Crowd = Members | RuleCrowd | SetCrowd | Sample
