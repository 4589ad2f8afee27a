"""Kinds of steps, a file each. To add one: write the file, and its line in KINDS."""

from __future__ import annotations

from kairos.engine.rule.workflow.steps import people, wait, webhook
from kairos.engine.rule.workflow.steps.kind import Kind

KINDS: dict[str, Kind] = {"by": people, "webhook": webhook, "wait": wait}
"""The key that says which kind a step is -> the kind."""
