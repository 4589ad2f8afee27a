"""What the engine is told when it is made."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True):
    """Durations in ms.

    `patience`: how long a deadline waits that came to light only after it had passed. `max_runs` bounds the open runs
    of one activity and partition, `match_bytes` what one of them holds, `user_bytes` what is kept of a user
    (`user/bounds.py`) or waits for the watermark. `regret_for`: how long after a decision a late event may still be
    held against it. `assume_delivered`: there are no delivery workers, so a send counts as delivered at once, unless
    the engine was given receipts to expect.
    """

    lateness: int = 2_000
    patience: int = 2_000
    max_runs: int = 1_000
    match_bytes: int = 1_000_000
    user_bytes: int = 4_000_000
    regret_for: int = 86_400_000
    assume_delivered: bool = False
