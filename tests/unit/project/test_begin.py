"""What a process of Kairos has once it has begun."""

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


COLLECTED = """
import gc
import kairos.apps.gateway.process
from kairos.apps.process import begin

there = len(gc.get_objects())
begin(part="test")
print(there > 10_000, len(gc.get_objects()) < 1_000)
"""


def test_a_process_that_has_begun_may_decode_in_several_threads() -> None:
    """All at once, for the first time: msgspec's half-made structs have ended whole processes."""
    done = subprocess.run([sys.executable, "-c", THREADS], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "8\n"), done.stderr


def test_the_collector_looks_at_nothing_that_was_there_when_a_process_began() -> None:
    """In a flood it would hold up everybody for as long as it takes to look at all modules."""
    done = subprocess.run([sys.executable, "-c", COLLECTED], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "True True\n"), done.stderr
