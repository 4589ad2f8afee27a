"""The peers' own environment: their pins would clash with Flink's."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from kairos.apps.native.settings import data_folder

PINS = Path(__file__).with_name("requirements.txt")


def peers_python() -> Path:
    """The interpreter of `.kairos/peers`, which is made anew by pip when the pins have changed."""
    folder = data_folder() / "peers"
    stamp, python = folder / "pins", folder / "bin" / "python"
    pins = hashlib.sha256(PINS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != pins:
        print(f"making the peers' environment in {folder} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", PINS], check=True)
        stamp.write_text(pins)
    return python
