"""A message whose text stands at the provider: the body of ours is its parameters, a line `name: value` each."""

from __future__ import annotations


def parameters_of(text: str) -> dict[str, str]:
    """Lines without a colon belong to the value above them; before the first they are dropped."""
    found: dict[str, str] = {}
    last = None
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip().isidentifier():
            last = name.strip()
            found[last] = value.strip()
        elif last is not None and line.strip():
            found[last] += "\n" + line.strip()
    return found
