"""What evaluate needs to know about users, behind a protocol: jobs hand in where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from kairos.engine.profile.topics import ConsentChange
from kairos.engine.rule.reads.needs import Needs


class ProfileSource(Protocol):
    """One per task. `need` says what is to be fetched from now on. `expect` is called when an event arrives, long
    before its decision; `get` for the decision."""

    def need(self, needs: Needs) -> None: ...

    def expect(self, user_id: str) -> None:
        """Fetch this user's profile in the background, if it is not cached. Never blocks."""

    def get(self, user_id: str) -> Mapping[str, Any] | None:
        """The profile; None: no such user. Blocks only when it is not cached yet."""

    def say(self, change: ConsentChange) -> None:
        """Write down what a user has said by an event: workers ask the profile. A newer word stays."""

    def close(self) -> None: ...
