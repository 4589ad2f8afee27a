"""Plays the field pack's described cases: a case as JSON on standard input, what was seen as JSON on standard output.

The pack's README has the protocol. One module a kind, under `field/`.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

KINDS = {"http": "http_kind", "smtp": "smtp_kind", "worker": "worker_kind"}


def play(case: dict[str, Any]) -> dict[str, Any]:
    """In the folder of the case's copy."""
    name = KINDS[case["kind"]]
    if not Path(__file__).with_name("field").joinpath(f"{name}.py").exists():
        return {"skip": f"nothing plays '{case['kind']}' yet"}
    played: dict[str, Any] = importlib.import_module(f"tests.acceptance.field.{name}").play(case)
    return played


if __name__ == "__main__":
    sys.stdout.write(json.dumps(play(json.load(sys.stdin))) + "\n")
