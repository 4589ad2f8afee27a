"""Who may do what: roles, the rights that they give, and whoever acts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from kairos.errors import KairosError

Right = Literal["look", "write", "publish", "switch", "limit", "replay", "emergency", "administer", "unmask"]

RIGHTS: Mapping[str, frozenset[Right]] = {
    "viewer": frozenset({"look"}),
    "author": frozenset({"look", "write", "publish"}),
    "reviewer": frozenset({"look"}),
    "operator": frozenset({"look", "switch", "limit", "replay", "emergency"}),
    "admin": frozenset({"look", "write", "publish", "switch", "limit", "replay", "emergency", "administer", "unmask"}),
}
"""Role -> what it may. A reviewer is one of something, `reviewer:risk`, and decides in steps of that name; no other
role does, not even an admin."""

_ROLE = re.compile(r"viewer|author|operator|admin|reviewer:[a-z][a-z0-9_]{0,99}")


class NotAllowedError(KairosError):
    """Whoever asks has not the right, or has not proved who they are. The message says what is missing."""


class Actor(msgspec.Struct, frozen=True):
    """`roles` None: the store has no users, so everybody may do everything, and the name proves nothing."""

    name: str
    roles: frozenset[str] | None = None

    def may(self, right: Right) -> bool:
        return self.roles is None or any(right in RIGHTS[role.partition(":")[0]] for role in self.roles)

    def reviews(self, by: str) -> bool:
        """Whether the actor decides in steps that are `by` this."""
        return self.roles is None or f"reviewer:{by}" in self.roles

    def need(self, right: Right) -> None:
        """Raises NotAllowedError."""
        if not self.may(right):
            having = ", ".join(sorted(self.roles or ())) or "none"
            needed = [role for role, rights in RIGHTS.items() if right in rights]
            raise NotAllowedError(
                f"{self.name} may not {right}: it takes one of the roles {', '.join(needed)}, and has {having}"
            )


def roles_of(text: str) -> frozenset[str]:
    """Separated by blanks."""
    return frozenset(text.split())


def wrong_roles(roles: frozenset[str]) -> list[str]:
    return sorted(role for role in roles if not _ROLE.fullmatch(role))
