"""Is the split of users over the arms the one that was drawn? (Sample ratio mismatch.)"""

from __future__ import annotations

from collections.abc import Mapping

UNSOUND = 0.001
"""Below this chance, somebody was lost in one arm only, and no effect is to be believed."""


def srm_p(counts: Mapping[str, int], shares: Mapping[str, float] | None) -> float | None:
    """Chi-square of `counts` (arm -> users) against `shares`; None where the shares or the users are missing."""
    arms = [arm for arm, share in (shares or {}).items() if share > 0]
    total = sum(counts.get(arm, 0) for arm in arms)
    if shares is None or len(arms) < 2 or total == 0:
        return None
    from scipy.special import chdtrc  # a quarter of a second to import

    whole = sum(shares[arm] for arm in arms)
    expected = {arm: shares[arm] / whole * total for arm in arms}
    chi2 = sum((counts.get(arm, 0) - expected[arm]) ** 2 / expected[arm] for arm in arms)
    return float(chdtrc(len(arms) - 1, chi2))


def is_unsound(p: float | None) -> bool:
    return p is not None and p < UNSOUND
