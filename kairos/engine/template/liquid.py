"""Liquid as Kairos has it: bounded, following what is missing, with local time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from liquid import BoundTemplate, Environment
from liquid.builtin.output import Output
from liquid.builtin.tags.cycle_tag import CycleTag
from liquid.builtin.tags.echo_tag import EchoTag
from liquid.output import LimitedStringIO

from kairos.engine.template.blank import let_missing_be_blank
from kairos.engine.template.gaps import Context, Followed, NotingCycle, NotingEcho, NotingOutput
from kairos.engine.template.local_time import local

MAX_LOOP_TURNS = 1_000
MAX_OUTPUT = 1_000_000
"""Characters of a message at most."""

MAX_KEPT = 250_000
"""Bytes of what `assign` and `capture` keep at most: no template fills the memory or multiplies for minutes."""


class _Output(Output):
    node_class = NotingOutput


class _Echo(EchoTag):
    node_class = NotingEcho


class _Cycle(CycleTag):
    node_class = NotingCycle


class Liquid(Environment):
    loop_iteration_limit = MAX_LOOP_TURNS
    output_stream_limit = MAX_OUTPUT
    local_namespace_limit = MAX_KEPT

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        super().setup_tags_and_filters(extra=extra)
        for tag in (_Output, _Echo, _Cycle):
            self.add_tag(tag)
        self.add_filter("local", local)
        self.filters = {name: Followed(name, function) for name, function in self.filters.items()}

    def from_string(self, *args: Any, **options: Any) -> BoundTemplate:
        template = super().from_string(*args, **options)
        let_missing_be_blank(template.nodes)
        return template


def fill(template: BoundTemplate, values: Mapping[str, Any], zone: ZoneInfo | None) -> tuple[str, list[str]]:
    """The text, and the names of what it prints and nobody gave. Raises what a filter or a limit raises."""
    context = Context(template, globals=template.make_globals(values))
    context.zone = zone
    buffer = LimitedStringIO(limit=MAX_OUTPUT)
    template.render_with_context(context, buffer)
    return buffer.getvalue(), list(dict.fromkeys(context.gaps))
