"""Which crowds hang on what users do: the job alone can say who is in them."""

from __future__ import annotations

from collections.abc import Container, Mapping

from kairos.engine.crowd.spec import Crowd, RuleCrowd, parts_of
from kairos.engine.expression import ExpressionError, parse


def live_crowds(crowds: Mapping[str, Crowd], kept: Container[str]) -> frozenset[str]:
    """Those whose definition reads a metric, itself or through others. `kept`: those of which there are snapshots."""
    live: frozenset[str] = frozenset()
    while True:
        more = {name for name, crowd in crowds.items() if name not in kept and _is_live(crowd, live)}
        if more <= live:
            return live
        live |= more


def _is_live(crowd: Crowd, live: Container[str]) -> bool:
    """`live`: those that are known to be."""
    if isinstance(crowd, RuleCrowd):
        try:
            reads = parse(crowd.where).reads
        except ExpressionError:  # told elsewhere
            return False
        return bool(reads.metrics) or any(name in live for name in reads.crowds)
    return any(part in live if isinstance(part, str) else _is_live(part, live) for part in parts_of(crowd))
