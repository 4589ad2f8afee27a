"""Snapshots before the job: what a builder writes, and what a reader makes of it.

Of each user and crowd one interval of snapshots is kept, [from_n, to_n): a member is whose interval holds the live one.
A builder writes the intervals that begin or end with n; nobody sees them until one value, the live number, becomes n.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple, Protocol

from kairos.errors import KairosError


class CrowdStoreError(KairosError):
    """The store of snapshots does not answer, or holds something else; the message says which."""


class Span(NamedTuple):
    """A member from snapshot `from_n` on, up to `to_n`, which is without her; None: she is still in."""

    user_id: str
    from_n: int
    to_n: int | None = None

    def holds(self, n: int) -> bool:
        return self.from_n <= n and (self.to_n is None or n < self.to_n)


class Live(NamedTuple):
    """The snapshot that everybody sees. `at`: when it became live, `as_of`: what was known then; epoch ms."""

    n: int
    at: int
    as_of: int


class CrowdStore(Protocol):
    """Calls block and raise CrowdStoreError. What is written twice is there once."""

    def live(self) -> Mapping[str, Live]: ...

    def stage(self, crowd: str, spans: Iterable[Span]) -> None:
        """Writes the intervals of these users, in place of what is known of them."""
        ...

    def unstage(self, crowd: str, n: int, users: Iterable[str]) -> None:
        """Takes a snapshot back: intervals that begin with n are removed, those that end with n are open again."""
        ...

    def flip(self, crowd: str, live: Live) -> None:
        """Makes the snapshot live: from here on everybody sees it."""
        ...

    def spans(self, crowd: str) -> Iterator[Span]:
        """All intervals of all users; of a large store that takes long."""
        ...

    def close(self) -> None: ...
