"""The acceptance cases for the public contract, written by others. They lie beside the project, not in it."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKS = Path(os.environ.get("KAIROS_ACCEPTANCE", ROOT.parent / "shared" / "acceptance"))
KAIROS = Path(sys.executable).with_name("kairos")
ADAPTER = shlex.join([sys.executable, str(ROOT / "tests" / "acceptance" / "field_adapter.py")])

FIELD = ["--jobs", "2", "--adapter", ADAPTER, "--only"]

PACK = {
    "conformance": [],
    "datasets": [],
    "badinput": ["--jobs", "2"],
    "compare": [],
    "measure": [],
    "strategy": ["--jobs", "2", "--only", "[cegjkmopqswx]*"],
    "field": [*FIELD, "[!h]*"],
    "field:h": [*FIELD, "h[!o]*"],
    "field:ho": [*FIELD, "ho[!t]*"],
    "field:hot": [*FIELD, "hot*"],
    "crowds": ["--only", "[emnqrsx]*"],
}
"""Pack -> its options; after a colon, which part of it."""
WARM = ("compare", "measure", "strategy", "crowds", "field", "field:h", "field:ho")
"""Packs of many small calls. Others measure what a call takes, or are few calls: they call the command as users do."""
CONTRADICTIONS = {
    ("badinput", "good/durations"): "A channel twice in one `send` is an error.",
    ("crowds", "n03_removed_more_than_a_fifth"): "from 100 members on more than 20 % removed",
}
"""Cases that contradict the contract -> the sentence of it that they contradict."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not PACKS.is_dir(), reason=f"no acceptance packs in {PACKS}; KAIROS_ACCEPTANCE says where"),
]


@pytest.mark.parametrize("pack", PACK)
def test_pack(pack: str, request: pytest.FixtureRequest) -> None:
    kairos = request.getfixturevalue("warm_kairos") if pack in WARM else KAIROS
    command = [sys.executable, str(PACKS / pack.partition(":")[0] / "run.py"), "--kairos", str(kairos), *PACK[pack]]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", cwd=ROOT)
    sys.stdout.write(done.stdout)
    failed = set(re.findall(r"^FAIL\s+([^\s:]+)", done.stdout, re.MULTILINE))
    known = {case for of, case in CONTRADICTIONS if of == pack}
    said = f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"
    assert failed == known, said
    assert re.search(rf"\b{len(known)} failed", (done.stdout.splitlines() or [""])[-1]), said
    assert done.returncode == (1 if known else 0), said
