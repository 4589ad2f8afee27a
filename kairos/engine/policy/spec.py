"""What policy.yaml says. Pure data; all durations in ms."""

from __future__ import annotations

from typing import Literal

import msgspec

DAY = 86_400_000
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
REMEMBERED_AT_MOST = 365 * DAY
"""No event's id is remembered longer than this against repetitions (`dedup`)."""


class QuietHours(msgspec.Struct, frozen=True):
    """Hours of a day: [start, end) in minutes of the local day; wraps midnight when start > end."""

    start: int
    end: int


class SendWindow(msgspec.Struct, frozen=True):
    """The only time to send: `hours` of these days (0: Monday); over midnight they belong to the day they begin on."""

    hours: QuietHours
    days: tuple[int, ...]


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


class Group(msgspec.Struct, frozen=True):
    """Activities that compete for a user: of those that may go the `choose` best by `score` do, in any `per` ms.

    `score` is an expression over `uplift`, `value`, `cost`, `metric.x` and `profile.x`. `collect`: ms for which
    candidates are gathered, 0: those of one instant. `per` None: so many each time. `floor` None: there is none.
    `explore`: the share of choices that is left to a hash. `losers`: they are dropped, or wait for the next slot.
    """

    name: str
    score: str
    collect: int = 0
    choose: int = 1
    per: int | None = None
    floor: float | None = None
    explore: float = 0.0
    losers: Literal["drop", "retry"] = "drop"


class SharedBudget(msgspec.Struct, frozen=True):
    """What all messages that name it may cost together; after `until` (epoch ms) nothing is spent, None: no end."""

    cost: float
    until: int | None = None


class Policy(msgspec.Struct, frozen=True):
    timezone: str = "UTC"
    quiet_hours: QuietHours | None = None
    default_caps: tuple[str, ...] = ()
    caps: dict[str, Cap] = {}
    black: UserList | None = None
    white: UserList | None = None
    dedup: int = DAY
    matching: dict[str, Group] = {}
    budgets: dict[str, SharedBudget] = {}
