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
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from kairos.sandbox import child

CPU_SECONDS = 0.05
WALL_SECONDS = 10.0  # for a child that waits for the processor
START_SECONDS = 30.0


class JavaScript:
    """Runs scripts with a fresh global, no clock and no random: one for each worker, not for several threads at once.

    `failures` counts scripts that threw or broke a limit. A child that broke one is replaced at the next question.
    """

    def __init__(self) -> None:
        self.failures = 0
        self._child: subprocess.Popen[bytes] | None = None
        self._close: weakref.finalize[..., JavaScript] | None = None

    def ask(self, source: str, values: Mapping[str, Any]) -> bool:
        """Whether the script gives `true` with these variables. What goes wrong is false, and counted."""
        try:
            data = msgspec.json.encode(list(values.values())).decode()
        except (ValueError, TypeError):  # a lone surrogate from a profile
            self.failures += 1
            return False
        line = json.dumps([source, list(values), data]).encode() + b"\n"
        answer = self._answer(line)
        if answer == child.SPOILT:
            self.close()
            answer = self._answer(line)
        if answer not in (child.TRUE, child.FALSE):
            self.failures += 1
            if answer != child.FAILED:
                self.close()
        return answer == child.TRUE

    def close(self) -> None:
        """Ends the child. The sandbox stays usable."""
        if self._close:
            self._close()
        self._child = self._close = None

    def _answer(self, line: bytes) -> bytes:
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
                return b""
        return _read(process)

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # as text, because the package may lie in a zip archive
            [_python(), "-P", "-c", inspect.getsource(child)],
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


def _python() -> str:
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
