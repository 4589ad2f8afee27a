"""What a store of search entries can do, whichever technology it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple, Protocol

from kairos.errors import KairosError

Kind = Literal["people", "decisions"]


class SearchError(KairosError):
    """The store cannot be used; the message says where it is, and why."""


class Entry(NamedTuple):
    """`key`: an entry with the key of another takes its place. `at`: epoch ms, 0 of a person. `terms`: what it is found
    by, no address in clear. `about`: what is shown of it."""

    kind: Kind
    key: str
    user_id: str
    at: int
    terms: tuple[str, ...]
    about: str = ""


class Hit(NamedTuple):
    kind: Kind
    user_id: str
    at: int
    about: str


class SearchStore(Protocol):
    """Calls block. All raise SearchError."""

    def put(self, entries: Iterable[Entry]) -> None:
        """Adds entries; the same entries again change nothing."""
        ...

    def replace(self, entries: Iterable[Entry]) -> int:
        """Replaces all entries at once, at the end. Returns how many there are."""
        ...

    def find(self, terms: Sequence[str], most: int) -> list[Hit]:
        """Entries that have one of the terms: people first, then decisions, the newest first; at most so many of
        each."""
        ...

    def forget(self, user_id: str) -> int:
        """Removes all entries of this user; how many they were."""
        ...

    def trim(self, before: int) -> None:
        """Removes decisions of before this time, epoch ms."""
        ...

    def close(self) -> None: ...
