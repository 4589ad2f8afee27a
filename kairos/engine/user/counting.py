"""Events act on metrics, before anything else is asked about them."""

from __future__ import annotations

from kairos.engine.event import Event
from kairos.engine.metric.compiled import Cells, CompiledMetric
from kairos.engine.rule.handlers import Handlers
from kairos.engine.user.consents import hear
from kairos.engine.user.moment import Before, Instant, Moment, at_event, part_keys

_NEVER_FILLED: Before = {}


def count(instant: Instant, handlers: Handlers, event: Event) -> Moment:
    """Let the event act on metrics, and on what its user agrees to.

    Gives the moment of the event: whatever is asked in it includes the event.
    """
    if handlers.consents:
        hear(instant.state, event, instant.program.rules.topics)
    before: Before = {} if instant.program.prior_metrics else _NEVER_FILLED
    moment = at_event(instant, event, before)
    for metric in handlers.counting(event.props) if handlers.metrics else ():
        where = instant.program.metric_wheres.get(metric.name)
        if where is None or where(moment):
            _add(instant, metric, event, before)
    return moment


def _add(instant: Instant, metric: CompiledMetric, event: Event, before: Before) -> None:
    state = instant.state
    metrics = state.metrics
    stored = metrics.get(metric.key) or instant.program.seed(metric.key, instant.user_id)
    if metric.per is None:
        _remember(instant, metric, "", stored, event, before)
        state.gained += metric.add(stored, event)
    else:
        for part in part_keys(event, metric.per):
            cells = stored.get(part, {})
            _remember(instant, metric, part, cells, event, before)
            state.gained += metric.add(cells, event) + len(part)
            if cells:
                stored[part] = cells
    if stored:
        metrics[metric.key] = stored


def _remember(instant: Instant, metric: CompiledMetric, part: str, cells: Cells, event: Event, before: Before) -> None:
    """The value from before the event, where some rule reads `prior`."""
    if metric.name in instant.program.prior_metrics:
        before.setdefault(metric.name, {})[part] = metric.value(cells, event.time)
