"""A rule folder that is edited, and a clock that says when."""

from __future__ import annotations

from pathlib import Path

from kairos.adapters.rules.store_folder import FolderRuleStore

RULE = """activity: {name}
state: live
priority: {priority}
on_change: {on_change}
trigger:
  pattern:
    - event: order_created
    - absent: order_paid
  within: 10m
"""


class Folder:
    """A rule folder that is edited, and a clock that says when."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = 1_000
        self.store = FolderRuleStore(path, lambda: self.now, still=0)

    def write(self, name: str, priority: int = 50, on_change: str = "keep") -> None:
        file = self.path / "activities" / "t" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(RULE.format(name=name, priority=priority, on_change=on_change))
