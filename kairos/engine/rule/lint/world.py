"""Everything that a rule may name: the files beside the activities, as far as they could be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kairos.engine.crowd.spec import Crowd
from kairos.engine.metric.spec import Metric
from kairos.engine.policy.spec import Policy
from kairos.engine.rule.model import Material, Source

RECEIPT = "receipt"


@dataclass
class World:
    """The fields `..._names` have every name that is written down, even where its definition is bad; None: the file
    cannot be read, so any name may be meant. `sources`, `profile` None: there is no such file. `materials`: those that
    could be read.
    """

    policy: Policy = field(default_factory=Policy)
    metrics: dict[str, Metric] = field(default_factory=dict)
    crowds: dict[str, Crowd] = field(default_factory=dict)
    sources: dict[str, Source] | None = None
    profile: dict[str, str] | None = None
    templates: dict[str, str] = field(default_factory=dict)
    materials: dict[str, Material] = field(default_factory=dict)
    crowd_names: frozenset[str] | None = frozenset()
    metric_names: frozenset[str] | None = frozenset()
    cap_names: frozenset[str] | None = frozenset()
    material_names: frozenset[str] | None = frozenset()

    @property
    def event_types(self) -> frozenset[str] | None:
        """All that the sources declare; None where every type is accepted."""
        if self.sources is None:
            return None
        return frozenset(type_ for source in self.sources.values() for type_ in source.events)

    def props(self, types: Iterable[str]) -> Mapping[str, str] | None:
        """Prop types of these event types together; "any" where they differ. None: untyped."""
        if self.sources is None:
            return None
        merged: dict[str, str] = {}
        for type_ in types:
            schemas = [source.events[type_] for source in self.sources.values() if type_ in source.events]
            if not schemas:
                return None
            for schema in schemas:
                for prop, kind in schema.props.items():
                    merged[prop] = kind if merged.get(prop, kind) == kind else "any"
        return merged

    def metric_type(self, metric: Metric) -> str:
        if metric.function in ("count", "distinct"):
            return "integer"
        if metric.function in ("sum", "avg"):
            return "number"
        if metric.value == "event.time":
            return "time"
        return (self.props(metric.of) or {}).get(metric.value or "", "any")
