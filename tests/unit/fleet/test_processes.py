"""Processes of a fleet as another program finds them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from kairos.apps.native.process import Process

STARTS_AND_WAITS = """
import sys
from pathlib import Path
from kairos.apps.native.process import Process
Process("sleeper", Path(sys.argv[1])).start(["sleep", "600"], {}, Path("."))
print("started", flush=True)
sys.stdin.read()
"""


def test_a_process_whose_parent_never_asks_for_it_is_stopped_at_once(tmp_path: Path) -> None:
    """It stays as a zombie, which would not be gone in half a minute either."""
    words = [sys.executable, "-c", STARTS_AND_WAITS, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"started\n"
        sleeper = Process("sleeper", tmp_path)
        assert sleeper.running() is not None
        assert sleeper.stop()
        assert sleeper.running() is None
