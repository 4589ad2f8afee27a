"""Other people's JavaScript, run in a child process with one V8 isolate, which starts when the first script is asked.

A script has 50 ms of processor time and 64 MB. In a process of its own, because some of V8's built-ins cannot be
interrupted, and out of memory V8 ends the process that it is in. To the engine this is a library like any other: an
answer depends on nothing but the script and its variables.
"""

from __future__ import annotations

import inspect
import json
import os
import select
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kairos.sandbox import child
from kairos.sandbox.breaker import Breaker

CPU_SECONDS = 0.05
WALL_SECONDS = 10.0  # for a child that waits for the processor
START_SECONDS = 30.0
START_CPU_SECONDS = 0.2  # what another child costs


class JavaScript:
    """Runs scripts with a fresh global, no clock and no random: one for each worker, not for several threads at once.

    `failures` counts scripts that threw or broke a limit. A child that broke one is replaced at the next question.
    `refusals` counts questions that were not asked, because the script had cost too much (breaker.py); `on_refusal` is
    told the script whenever that begins.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        on_refusal: Callable[[str], None] = lambda _script: None,
    ) -> None:
        self.failures = 0
        self.refusals = 0
        self.on_refusal = on_refusal
        self._breaker = Breaker(clock)
        self._last = ""  # the script that was run last: what it has spoilt is its affair
        self._child: subprocess.Popen[bytes] | None = None
        self._close: weakref.finalize[..., JavaScript] | None = None

    def ask(self, source: str, values: Mapping[str, Any]) -> bool:
        """Whether the script gives `true` with these variables. What goes wrong is false, and counted."""
        try:
            data = msgspec.json.encode(list(values.values())).decode()
        except (ValueError, TypeError):  # a lone surrogate from a profile
            self.failures += 1
            return False
        if not self._breaker.allows(source):
            self.refusals += 1
            return False
        line = json.dumps([source, list(values), data]).encode() + b"\n"
        answer, last = self._answer(line, source), self._last
        if answer == child.SPOILT:
            self._charge(last, START_CPU_SECONDS)
            self.close()
            answer = self._answer(line, source)
        self._last = source
        if answer not in (child.TRUE, child.FALSE):
            self.failures += 1
            if answer != child.FAILED:
                self._charge(source, START_CPU_SECONDS)
                self.close()
        return answer == child.TRUE

    def _charge(self, script: str, seconds: float) -> None:
        if self._breaker.charge(script, seconds):
            self.on_refusal(script)

    def close(self) -> None:
        """Ends the child. The sandbox stays usable."""
        if self._close:
            self._close()
        self._child = self._close = None

    def _answer(self, line: bytes, script: str) -> bytes:
        """One byte; none from a child that died or took too long."""
        if self._child and self._child.poll() is not None:  # killed by someone else meanwhile
            self.close()
        process = self._child or self._start()
        assert process.stdin is not None
        used = _cpu_seconds(process.pid)
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except BrokenPipeError:
            return b""
        deadline = time.monotonic() + WALL_SECONDS
        while not _readable(process, CPU_SECONDS):
            if _cpu_seconds(process.pid) - used >= CPU_SECONDS or time.monotonic() >= deadline:
                self._charge(script, CPU_SECONDS)
                return b""
        answer = _read(process)
        taken = _cpu_seconds(process.pid) - used
        self._charge(script, taken if taken < CPU_SECONDS else CPU_SECONDS)
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # as text, because the package may lie in a zip archive
            [python(), "-P", "-c", inspect.getsource(child)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "TZ": "UTC"},
        )
        self._child, self._close = process, weakref.finalize(self, _end, process)
        if not _readable(process, START_SECONDS) or _read(process) != child.READY:
            self.close()
            raise RuntimeError("the JavaScript sandbox does not start")
        return process


def python() -> str:
    """The interpreter of this environment. Embedded in a JVM, `sys.executable` may be another one."""
    own = Path(sys.prefix, "bin", "python3")
    return str(own) if own.exists() else sys.executable


def _readable(process: subprocess.Popen[bytes], seconds: float) -> bool:
    assert process.stdout is not None
    return bool(select.select([process.stdout], [], [], seconds)[0])


def _read(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return os.read(process.stdout.fileno(), 1)


def _cpu_seconds(pid: int) -> float:
    """Processor time of all threads of a process: its clock, as clock_getcpuclockid(3) numbers it."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:  # it has ended
        return float("inf")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()
