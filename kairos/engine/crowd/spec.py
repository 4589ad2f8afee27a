"""What crowds.yaml says. Pure data.

A crowd is asked live, of the person in hand, or *kept*: computed in the warehouse, and put before the job as a numbered
snapshot of members.
"""

from __future__ import annotations

from typing import Literal

import msgspec


class Members(msgspec.Struct, frozen=True, tag="members"):
    """A list of users; `users` None: kept by hand, so that the profile's `crowds` say it."""

    users: tuple[str, ...] | None


class RuleCrowd(msgspec.Struct, frozen=True, tag="where"):
    """Everyone of whom the expression is true; asked live."""

    where: str


class HistoryCrowd(msgspec.Struct, frozen=True, tag="history"):
    """The same over a user's whole past, in the warehouse."""

    where: str


class SqlCrowd(msgspec.Struct, frozen=True, tag="sql"):
    """Who a SELECT names; `file` is below the rule folder, `text` what stands in it, in DuckDB's dialect."""

    file: str
    text: str


class SetCrowd(msgspec.Struct, frozen=True, tag="set"):
    """union | intersect | difference (the first without all the others); parts are names or crowds themselves."""

    operation: Literal["union", "intersect", "difference"]
    parts: tuple[str | Crowd, ...]


class Sample(msgspec.Struct, frozen=True, tag="sample"):
    """A sticky share (0..1) of the users (of another crowd); the salt is the crowd's name."""

    share: float
    of: str | Crowd | None = None


class Limit(msgspec.Struct, frozen=True, tag="limit"):
    """The `count` members with the greatest values of `by`, an expression over their past; by user id where these are
    equal. Without `by` those with the smallest hash of user and crowd: sticky, and a smaller limit lies in a larger."""

    count: int
    of: str | Crowd | None = None
    by: str | None = None


class Lookalike(msgspec.Struct, frozen=True, tag="lookalike"):
    """The `size` users who are most like the members of `seed`, without those of `exclude`."""

    seed: str
    size: int
    exclude: tuple[str, ...] = ()


Crowd = Members | RuleCrowd | HistoryCrowd | SqlCrowd | SetCrowd | Sample | Limit | Lookalike


class Keeping(msgspec.Struct, frozen=True):
    """How a crowd is kept. `refresh`: ms from one snapshot to the next, None: whenever somebody imports one.

    `emit_first`: the first snapshot emits `crowd.entered` for every member.
    """

    refresh: int | None = None
    emit_first: bool = False


def parts_of(crowd: Crowd) -> tuple[str | Crowd, ...]:
    """What it is made of: names of crowds, and crowds that are written inside of it."""
    match crowd:
        case SetCrowd(parts=parts):
            return parts
        case Sample(of=of) | Limit(of=of):
            return () if of is None else (of,)
        case Lookalike(seed=seed, exclude=exclude):
            return (seed, *exclude)
    return ()
