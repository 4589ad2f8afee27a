"""The port through which the engine reads profiles."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

Profiles = Callable[[str, int], Mapping[str, Any] | None]
"""User id and an instant (epoch ms) -> the profile's fields; None: nobody knows this user.

A history answers with what was known at that instant. What knows the present alone answers with that.
"""


class History(Mapping[str, Mapping[str, Any]]):
    """As a mapping, the profiles of today: user id -> fields."""

    @abstractmethod
    def as_of(self, user_id: str, instant: int) -> Mapping[str, Any] | None:
        """The profile at that instant (epoch ms), as far as it is known."""


def at_all_times(users: Mapping[str, Mapping[str, Any]]) -> Profiles:
    """These profiles, whatever the instant."""
    return lambda user_id, _instant: users.get(user_id)


class Degraded(dict[str, Any]):
    """The profile that a source answers with when it is down and `degrade` allows deciding without."""
