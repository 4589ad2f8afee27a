"""What policy.yaml says. Pure data; all durations in ms."""

from __future__ import annotations

from typing import Literal

import msgspec

DAY = 86_400_000


class QuietHours(msgspec.Struct, frozen=True):
    """[start, end) in minutes of the local day; wraps midnight when start > end."""

    start: int
    end: int


class CapRule(msgspec.Struct, frozen=True):
    """At most `most` sends in `per` ms (rolling), or in the user's own day (1d) or week (7d) (calendar)."""

    most: int
    per: int
    window: Literal["rolling", "calendar"] = "rolling"
    channel: str | None = None


class Cap(msgspec.Struct, frozen=True):
    """`retry_for` None: drop when full; else hold until a slot is free, at most so long."""

    name: str
    rules: tuple[CapRule, ...]
    retry_for: int | None = None


class UserList(msgspec.Struct, frozen=True):
    """`users` None: the profile's `lists` say it (Redis)."""

    users: tuple[str, ...] | None


class Policy(msgspec.Struct, frozen=True):
    timezone: str = "UTC"
    quiet_hours: QuietHours | None = None
    default_caps: tuple[str, ...] = ()
    caps: dict[str, Cap] = {}
    black: UserList | None = None
    white: UserList | None = None
    dedup: int = DAY
