"""Whether JavaScript can be parsed. V8 is asked in a child process, which stays for the next question.

Where a processor has protection keys for memory, only threads that began after V8 did can use it. The tasks of a JVM
are threads that began before, and V8 would end the JVM.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import threading
from contextlib import suppress

from kairos.sandbox import python

_CHILD = """
import json, sys
from py_mini_racer import MiniRacer
with MiniRacer() as isolate:
    for line in sys.stdin:
        code = "try { %s.map(body => new Function(body)); '' } catch (error) { error.message || 'invalid' }"
        print(json.dumps(str(isolate.eval(code % line.strip()))), flush=True)
"""
_lock = threading.Lock()
_children: list[subprocess.Popen[str]] = []


def syntax_error(bodies: list[str]) -> str | None:
    """The first error of these bodies of functions; none of them is run."""
    with _lock:
        for _ in range(2):  # a child may have been ended by somebody else
            child = _children[0] if _children else _start()
            try:
                assert child.stdin is not None
                assert child.stdout is not None
                child.stdin.write(json.dumps(bodies) + "\n")
                child.stdin.flush()
                if line := child.stdout.readline():
                    return str(json.loads(line)) or None
            except BrokenPipeError:
                pass
            _end()
    raise RuntimeError("the JavaScript sandbox does not start")


def _start() -> subprocess.Popen[str]:
    command = [python(), "-P", "-c", _CHILD]  # as text, because the package may lie in a zip archive
    pipe = subprocess.PIPE
    child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    _children.append(child)
    return child


@atexit.register
def _end() -> None:
    while _children:
        child = _children.pop()
        child.kill()
        child.wait()
        for end in (child.stdin, child.stdout):
            if end is not None:
                with suppress(BrokenPipeError):  # of a question that it did not hear
                    end.close()
