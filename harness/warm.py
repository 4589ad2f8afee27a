"""`kairos` for tests that call it hundreds of times, without its start of a second or two.

Two processes have imported every command, and wait at one socket; a call is a fork of one of them. They hash texts
differently, and take turns, so a call twice is as good as in two processes: an output that depends on the order of a
set differs. What a call takes of processor and memory is not told: who measures that calls the real one.
"""

from __future__ import annotations

import ast
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from kairos.apps.cli import COMMANDS, main

CLIENT = """#!{python} -IS
import os, socket, sys

with socket.socket(socket.AF_UNIX) as call:
    call.connect({address!r})
    socket.send_fds(call, [b"."], [0, 1, 2])
    call.sendall(ascii((sys.argv, os.getcwd(), dict(os.environ))).encode())
    call.shutdown(socket.SHUT_WR)
    code = int(call.recv(8))
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
"""
"""The command: it hands on what it was given, and ends as its fork does."""
READY = b"."
"""What a server says when it has imported all."""


@contextmanager
def warm(folder: Path) -> Iterator[Path]:
    """The command `kairos` in the folder, which is new."""
    address = f"\0kairos-{uuid.uuid4().hex}"  # in no folder: a path may be too long for a socket
    command = folder / "kairos"
    command.write_text(CLIENT.format(python=sys.executable, address=address))
    command.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening, ExitStack() as running:
        listening.bind(address)
        listening.listen()
        servers: list[subprocess.Popen[bytes]] = []
        for _ in range(2):
            server = running.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "harness.warm", str(listening.fileno())],
                    cwd=Path(__file__).parents[1],
                    stdin=subprocess.PIPE,  # Python makes its streams as these want it, and a fork keeps them:
                    stdout=subprocess.PIPE,  # as those of a command whose output is read
                    stderr=subprocess.PIPE,
                    pass_fds=[listening.fileno()],
                )
            )
            running.callback(server.terminate)
            servers.append(server)
        for server in servers:
            assert server.stdout is not None
            assert server.stdout.read(1) == READY  # the first call is no slower than the others
        yield command


def serve(listening: socket.socket) -> NoReturn:
    for command in COMMANDS.values():
        import_module(f"kairos.apps.commands.{command.module}")
    gc.freeze()
    os.write(1, READY)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for who answers
    while True:
        call, _ = listening.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            answer(call)
        call.close()


def answer(call: socket.socket) -> NoReturn:
    """The command in a process of its own, which ends with its caller."""
    _, streams, _, _ = socket.recv_fds(call, 1, 3)
    with call.makefile("rb") as given:
        argv, folder, environment = ast.literal_eval(given.read().decode())
    child = os.fork()
    if child == 0:
        call.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
        sys.argv = argv
        main()
        sys.exit()
    over = select.poll()
    over.register(os.pidfd_open(child), select.POLLIN)
    over.register(call, 0)  # that the caller is gone is told unasked
    if any(of == call.fileno() for of, _ in over.poll()):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    with suppress(OSError):
        call.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
