"""Threads that decode for the first time, all at once: msgspec's half-made structs have ended whole processes."""

from __future__ import annotations

import subprocess
import sys

THREADS = """
import sys, threading
import msgspec
import kairos.apps.scheduler.process  # and with it what the scheduler decodes
from kairos.adapters.rules.store_folder import _Published
from kairos.apps.process import begin
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release

begin(part="test")
value = msgspec.msgpack.encode(_Published("", Release(1, RuleSet())))
together, found = threading.Barrier(8), []

def decode():
    together.wait()
    found.append(msgspec.msgpack.decode(value, type=_Published))

sys.setswitchinterval(1e-6)
threads = [threading.Thread(target=decode) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(found))
"""


def test_a_process_that_has_begun_may_decode_in_several_threads() -> None:
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "8\n"), done.stderr
