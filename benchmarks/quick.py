"""All side-by-side benchmarks at small sizes, two at a time, over one broker: that they run, not how fast.
`python -m benchmarks.quick`; ends with an error if one of them does.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.kit.broker import SHARED, kafka
from benchmarks.kit.sides import ROOT
from benchmarks.peers.environment import peers_python

LONGEST_FIRST = (
    "job.throughput",
    "job.scale",
    "job.real_rules",
    "job.state",
    "job.latency",
    "measure",
    "crowds",
    "engine",
    "expressions",
    "user_state",
    "growth",
    "decode",
    "profiles",
    "overview",
)
AT_ONCE = 2
"""A job that starts or waits leaves room for another."""
JAVA = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
"""A JVM that lives for seconds compiles in vain: without, each start takes a quarter longer."""


def run(name: str, bootstrap: str) -> bool:
    """Whether it ended well; tells what it said."""
    began = time.monotonic()
    command = [sys.executable, "-m", f"benchmarks.{name}", "--quick"]
    environment = os.environ | JAVA | {SHARED: bootstrap}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    verdict = "ran" if done.returncode == 0 else f"ended with {done.returncode}"
    print(f"== {name} {verdict}, {time.monotonic() - began:.0f} s\n{done.stdout}", flush=True)
    return done.returncode == 0


def main() -> None:
    peers_python()
    with (
        tempfile.TemporaryDirectory() as folder,
        kafka(Path(folder), "heartbeat") as bootstrap,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        ended = dict(zip(LONGEST_FIRST, pool.map(lambda name: run(name, bootstrap), LONGEST_FIRST), strict=True))
    failed = [name for name, well in ended.items() if not well]
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
