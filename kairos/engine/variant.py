"""Which variant of an A/B test a user gets."""

from __future__ import annotations

from kairos.engine.decision import share_of
from kairos.engine.rule.compiled import CompiledActivity, CompiledVariant


def choose_variant(activity: CompiledActivity, user_id: str) -> CompiledVariant | None:
    """Sticky by user; weights are relative. None for a watch."""
    variants = activity.variants
    if len(variants) < 2:
        return variants[0] if variants else None
    point = share_of(user_id, f"{activity.name}/variant") * sum(v.weight for v in variants)
    for variant in variants:
        point -= variant.weight
        if point < 0:
            return variant
    return variants[-1]
