"""Several variants against one control group: each further comparison is one more chance to be wrong."""

from __future__ import annotations

from collections.abc import Mapping


def holm(p: Mapping[str, float]) -> dict[str, float]:
    """Holm's adjusted p-values: the k-th smallest times (number - k + 1), never below one before it."""
    adjusted, highest = {}, 0.0
    for place, name in enumerate(sorted(p, key=lambda name: (p[name], name))):
        highest = max(highest, min(1.0, p[name] * (len(p) - place)))
        adjusted[name] = highest
    return adjusted
