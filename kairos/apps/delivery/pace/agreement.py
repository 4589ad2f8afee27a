"""When refusals of single addresses are the channel's fault: several say so, and nobody takes a message meanwhile."""

from __future__ import annotations

MOST_REASON = 300


class Agreement:
    """Of one worker. `needed`: how many different addresses must agree."""

    def __init__(self, needed: int) -> None:
        self._needed = needed
        self._refusing: dict[str, str] = {}

    def taken(self) -> None:
        """Notes that an address took a message: what the others refused was their own affair."""
        self._refusing.clear()

    def refused(self, address: str, reason: str) -> str | None:
        """What is wrong with the channel, once enough agree; then counting begins anew."""
        self._refusing[address] = reason
        if len(self._refusing) < self._needed:
            return None
        said = ", ".join(sorted(set(self._refusing.values())))[:MOST_REASON]
        found = f"{len(self._refusing)} addresses refuse, and none takes a message: {said}"
        self._refusing.clear()
        return found
