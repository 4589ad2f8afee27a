"""Environments of their own, for the peers and for the tool that makes load: their pins would clash with Flink's."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from kairos.apps.native.settings import data_folder

PINS = Path(__file__).with_name("requirements.txt")
"""Of the peers."""


def peers_python() -> Path:
    return _python("peers", PINS)


def load_python() -> Path:
    return _python("load", PINS.with_name("load.txt"))


def _python(name: str, file: Path) -> Path:
    """The interpreter of `.kairos/<name>`, which is made anew by pip when the pins have changed."""
    folder = data_folder() / name
    stamp, python = folder / "pins", folder / "bin" / "python"
    pins = hashlib.sha256(file.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != pins:
        print(f"making the environment {name} in {folder} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", file], check=True)
        stamp.write_text(pins)
    return python
