"""Message content: Liquid templates filled in with the values that a delivery carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from liquid import DictLoader, Environment
from liquid.exceptions import LiquidError

MAX_LOOP_TURNS = 1_000
MAX_OUTPUT = 1_000_000
"""Characters of a message at most: a template cannot fill the memory."""


class ContentError(Exception):
    """The message cannot be made; the message of the error names the template."""


class _Liquid(Environment):
    loop_iteration_limit = MAX_LOOP_TURNS
    output_stream_limit = MAX_OUTPUT


class Renderer:
    """Templates by "name.channel" (and partials by name), as `RuleSet.templates` holds them; parsed once each."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._liquid = _Liquid(loader=DictLoader(dict(templates)))

    def render(self, template: str | None, channel: str, values: Mapping[str, Any]) -> str:
        """The text. Without a template the values themselves, as JSON. Raises ContentError.

        A key such as "profile.name" is what `{{ profile.name }}` reads.
        """
        if template is None:
            return msgspec.json.encode(values, order="sorted").decode()
        name = f"{template}.{channel}"
        try:
            return str(self._liquid.get_template(name).render(**_nested(values))).strip()
        except LiquidError as error:
            raise ContentError(f"templates/{name}.liquid: {error}") from error


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """{"a": 1, "profile.x": 2} -> {"a": 1, "profile": {"x": 2}}."""
    tree: dict[str, Any] = {}
    for path, value in values.items():
        *parents, leaf = path.split(".")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
        branch[leaf] = value
    return tree
