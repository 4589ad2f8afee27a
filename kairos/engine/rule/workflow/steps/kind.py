"""What a kind of step has to say of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from kairos.engine.rule.fields.types import Field

Said = Mapping[str, Any]
Decision = Literal["approved", "rejected"]


class AskUrl(msgspec.Struct, frozen=True):
    """It is for somebody behind this URL to answer."""

    url: str


class Kind(Protocol):
    """A module. `said`: the step's keys, those with defaults as well. Times in epoch ms."""

    FIELDS: tuple[Field, ...]

    def votes(self, said: Said) -> int:
        """How many have to agree."""
        ...

    def asked(self, said: Said) -> str | None:
        """Whose reviewers decide, beside those of the step's own name; None: no person does."""
        ...

    def by_itself(self, said: Said, opened_at: int, now: int) -> Decision | AskUrl | None:
        """What comes without anybody's doing, since the step before was done; None: nothing yet."""
        ...
