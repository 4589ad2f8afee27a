"""Every check, in one place."""

from __future__ import annotations

from collections.abc import Mapping

from kairos.engine.rule.fields.value import Value
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.activity import Draft
from kairos.engine.rule.text.report import Report


def check_all(
    drafts: Mapping[str, Draft], world: World, values: Mapping[str, Value], reports: Mapping[str, Report], today: int | None
) -> None:
    """Adds to the reports. `drafts`, `values` and `reports` by path."""
