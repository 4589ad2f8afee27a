"""A part of a plan in braces that go on with less indent than the part has is a part all the same."""

from __future__ import annotations

from kairos.engine.plan.blocks import block_of
from kairos.engine.rule.text.nodes import read_yaml


def test_braces_go_on_at_any_indent() -> None:
    text = "tests:\n  - name: x\n    events:\n      - {at:\n 0s, id: 1}\n# of the next\nnext: 1\n"
    root = read_yaml(text)
    assert root is not None
    block = block_of(text, *root.entries[0])
    assert block == "- name: x\n  events:\n    - {at:\n0s, id: 1}\n"
    assert read_yaml(block) is not None
