"""Everything that a rule may name: the files beside the activities, as far as they could be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from kairos.engine.catalog.spec import Catalog, props_of_change
from kairos.engine.coupon.spec import Coupon
from kairos.engine.crowd.live import live_crowds
from kairos.engine.crowd.spec import Crowd, Keeping
from kairos.engine.event import CATALOG_CHANGED
from kairos.engine.metric.aggregates import AGGREGATES
from kairos.engine.metric.spec import Metric
from kairos.engine.policy.spec import Policy
from kairos.engine.profile.topics import Topic
from kairos.engine.rule.model import Material, Source
from kairos.engine.rule.workflow.spec import Workflow

RECEIPT = "receipt"


@dataclass
class World:
    """The fields `..._names` have every name that is written down, even where its definition is bad; None: the file
    cannot be read, so any name may be meant. `sources`, `profile` None: there is no such file. `materials`: those that
    could be read. `learned`: activity -> weights of its variants. `kept`: of the crowds, those that are kept; `sql`:
    path -> text of the files of SQL crowds; `codes`: of those of coupons. `workflow` None: nobody has to agree.
    """

    policy: Policy = field(default_factory=Policy)
    metrics: dict[str, Metric] = field(default_factory=dict)
    crowds: dict[str, Crowd] = field(default_factory=dict)
    kept: dict[str, Keeping] = field(default_factory=dict)
    sql: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Source] | None = None
    profile: dict[str, str] | None = None
    templates: dict[str, str] = field(default_factory=dict)
    materials: dict[str, Material] = field(default_factory=dict)
    learned: dict[str, dict[str, float]] = field(default_factory=dict)
    uplift: dict[str, float] = field(default_factory=dict)
    prices: dict[str, float] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    catalogs: dict[str, Catalog] = field(default_factory=dict)
    coupons: dict[str, Coupon] = field(default_factory=dict)
    workflow: Workflow | None = None
    crowd_names: frozenset[str] | None = frozenset()
    metric_names: frozenset[str] | None = frozenset()
    cap_names: frozenset[str] | None = frozenset()
    group_names: frozenset[str] | None = frozenset()
    budget_names: frozenset[str] | None = frozenset()
    material_names: frozenset[str] | None = frozenset()
    topic_names: frozenset[str] | None = frozenset()
    catalog_names: frozenset[str] | None = frozenset()
    coupon_names: frozenset[str] | None = frozenset()

    @cached_property
    def live(self) -> frozenset[str]:
        """Live crowds: only the job can say who is in them. Asked once all files are read."""
        return live_crowds(self.crowds, self.kept)

    @property
    def event_types(self) -> frozenset[str] | None:
        """All that the sources declare; None where every type is accepted."""
        if self.sources is None:
            return None
        return frozenset(type_ for source in self.sources.values() for type_ in source.events)

    def props(self, types: Iterable[str]) -> Mapping[str, str] | None:
        """Prop types of these event types together; "any" where they differ. None: untyped."""
        merged: dict[str, str] = {}
        types = list(types)
        if self.sources is None and not types:
            return None
        for type_ in types:
            schemas = self._schemas(type_)
            if not schemas:
                return None
            for schema in schemas:
                for prop, kind in schema.items():
                    merged[prop] = kind if merged.get(prop, kind) == kind else "any"
        return merged

    def _schemas(self, type_: str) -> list[Mapping[str, str]]:
        """Of those who send the type; empty: nobody says."""
        if type_ == CATALOG_CHANGED:
            return [props_of_change(catalog) for catalog in self.catalogs.values()] if self.catalog_fields else []
        return [source.events[type_].props for source in (self.sources or {}).values() if type_ in source.events]

    @property
    def catalog_fields(self) -> Mapping[str, Mapping[str, str]] | None:
        """Catalog -> what may be read of its items. None: a catalog could not be read, so any may be meant."""
        if self.catalog_names is None or self.catalog_names - self.catalogs.keys():
            return None
        return {name: {catalog.key: "any", **catalog.fields} for name, catalog in self.catalogs.items()}

    def metric_type(self, metric: Metric) -> str:
        if metric.function == "collect":
            return "list"
        if metric.function == "decay":
            return "number"
        if (type_ := AGGREGATES[metric.function].type) is not None:
            return type_
        if metric.value == "event.time":
            return "time"
        return (self.props(metric.of) or {}).get(metric.value or "", "any")
