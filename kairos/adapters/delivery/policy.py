"""How a channel treats what does not go well at once."""

from __future__ import annotations

from random import Random

import msgspec


class Policy(msgspec.Struct, frozen=True):
    """All in ms but `attempts`. `resend`: after a call whose outcome nobody knows call again, with the same key (at
    least once), or leave it (at most once). `lease`: how long beyond a call's time-out its reservation is nobody
    else's."""

    resend: bool
    timeout: int = 10_000
    attempts: int = 5
    max_age: int = 3_600_000
    backoff: int = 1_000
    max_backoff: int = 300_000
    lease: int = 30_000

    def pause(self, tries: int, asked: int | None, chance: Random) -> int:
        """How long (ms) to wait after so many calls that came to nothing, at least 1.

        Anything up to a limit that doubles, so that those that failed together do not come back together; never less
        than the provider asked for.
        """
        limit = min(self.max_backoff, self.backoff * 2 ** min(tries - 1, 40))
        return int(max(asked or 0, chance.uniform(1, max(1, limit))))

    def exhausted(self, tries: int, since: int, again_at: int) -> bool:
        """Whether no further call is worth it. `since`: when the first of the calls was reserved."""
        return tries >= self.attempts or again_at - since > self.max_age
