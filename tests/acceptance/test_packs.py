"""The acceptance cases for the public contract, written by others. They lie beside the project, not in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKS = Path(os.environ.get("KAIROS_ACCEPTANCE", ROOT.parent / "shared" / "acceptance"))
KAIROS = Path(sys.executable).with_name("kairos")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not PACKS.is_dir(), reason=f"no acceptance packs in {PACKS}; KAIROS_ACCEPTANCE says where"),
]


@pytest.mark.parametrize(
    ("pack", "options"),
    [("conformance", []), ("datasets", []), ("badinput", ["--jobs", "2"])],
    ids=lambda value: str(value),
)
def test_pack(pack: str, options: list[str]) -> None:
    command = [sys.executable, str(PACKS / pack / "run.py"), "--kairos", str(KAIROS), *options]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=ROOT)
    sys.stdout.write(done.stdout)
    last = (done.stdout.splitlines() or [""])[-1]
    assert done.returncode == 0, f"{last}\n{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
    assert ", 0 failed" in last
