"""A gate between two processes: whoever waits at it begins when told, and never when nobody can tell any more."""

from __future__ import annotations

import os
import socket
import threading

from kairos.adapters.gate import GATE, LOOPBACK, Gate, Start, wait_at

START = Start("/savepoints/1", take_over=True)


def waiting(gate: str) -> tuple[threading.Thread, list[Start | None]]:
    found: list[Start | None] = []
    thread = threading.Thread(target=lambda: found.append(wait_at(gate)))
    thread.start()
    return thread, found


def test_whoever_waits_is_told_how_to_begin() -> None:
    gate = Gate()
    thread, found = waiting(gate.environment[GATE])
    assert gate.reached(lambda: True)
    assert found == []
    gate.open(START)
    thread.join()
    assert found == [START]


def test_who_has_ended_before_is_not_waited_for() -> None:
    assert not Gate().reached(lambda: False)


def test_a_stranger_is_sent_away() -> None:
    gate = Gate()
    port = int(gate.environment[GATE].partition(" ")[0])
    stranger = socket.create_connection((LOOPBACK, port))
    stranger.sendall(b"let me in\n")
    thread, found = waiting(gate.environment[GATE])
    assert gate.reached(lambda: True)
    gate.open(START)
    thread.join()
    assert found == [START]
    assert stranger.recv(1) == b""
    stranger.close()


def test_where_the_other_dies_nobody_begins() -> None:
    """As kill -9: a process that has a gate, and does not come to open it."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        gate = Gate()
        os.write(tell, gate.environment[GATE].encode())
        gate.reached(lambda: True)
        os._exit(0)
    address = os.read(told, 100).decode()
    thread, found = waiting(address)
    thread.join()
    os.waitpid(child, 0)
    os.close(told)
    os.close(tell)
    assert found == [None]
    assert wait_at(address) is None
