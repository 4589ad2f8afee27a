"""The handwritten rules in Bytewax: `python -m benchmarks.peers.with_bytewax RULES EVENTS [safe]`. No recovery store.

`RULES`: JSON, one list of a `Rule`'s fields for each. One worker; lines come in batches, are parsed and keyed in one
step, and go to one logic a user. `safe`: `SafeRules`, each event with the watermark behind it. It is measured to the
last line; what still waits then is due.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import bytewax.operators as op
import orjson
from bytewax.dataflow import Dataflow
from bytewax.inputs import DynamicSource, StatelessSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main

from benchmarks.peers.handwritten import LATENESS, Found, Opened, Rule, Rules, Safe, SafeRules
from benchmarks.peers.meter import Meter

BATCH = 1_000
END = 2**62

Keyed = tuple[str, Found]


class Lines(DynamicSource, StatelessSourcePartition):
    def __init__(self, lines: list[bytes], meter: Meter) -> None:
        self._lines, self._meter, self._at = lines, meter, 0

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Lines:
        return self

    def next_batch(self) -> list[bytes]:
        if self._at >= self._meter.begin_at:
            self._meter.begin()
        batch = self._lines[self._at : self._at + BATCH]
        self._at += BATCH
        if not batch:
            self._meter.end()
            raise StopIteration
        return batch


class Kept(DynamicSink, StatelessSinkPartition):
    def __init__(self) -> None:
        self.results: list[Keyed] = []

    def build(self, step_id: str, worker_index: int, worker_count: int) -> Kept:
        return self

    def write_batch(self, items: list[Keyed]) -> None:
        self.results += items


class User(StatefulBatchLogic):
    def __init__(self, rules: Rules, opened: Opened) -> None:
        self._rules, self._opened = rules, opened

    def on_batch(self, values: list[dict[str, Any]]) -> tuple[list[Found], bool]:
        found: list[Found] = []
        for event in values:
            found += self._rules.on_event(self._opened, event)
        return found, not self._opened

    def on_eof(self) -> tuple[list[Found], bool]:
        found: list[Found] = []
        self._rules.on_time(self._opened, END, found)
        return found, StatefulBatchLogic.DISCARD

    def snapshot(self) -> Opened:
        return self._opened  # no copy: nothing is recovered here


class SafeUser(StatefulBatchLogic):
    def __init__(self, rules: SafeRules, user: Safe) -> None:
        self._rules, self._user = rules, user

    def on_batch(self, values: list[tuple[int, dict[str, Any]]]) -> tuple[list[Found], bool]:
        found: list[Found] = []
        for watermark, event in values:
            found += self._rules.on_event(self._user, event, watermark)
        return found, StatefulBatchLogic.RETAIN

    def on_eof(self) -> tuple[list[Found], bool]:
        return self._rules.on_time(self._user, END), StatefulBatchLogic.DISCARD

    def snapshot(self) -> Safe:
        return self._user


def parsed(lines: list[bytes]) -> list[tuple[str, dict[str, Any]]]:
    return [(event["user_id"], event) for event in map(orjson.loads, lines)]


def parsed_with_watermark(lines: list[bytes]) -> list[tuple[str, tuple[int, dict[str, Any]]]]:
    """The lines are in order, so the latest time is the event's own."""
    return [(event["user_id"], (event["time"] - LATENESS - 1, event)) for event in map(orjson.loads, lines)]


def main(rules: Rules, events: Path, safe: bool) -> None:
    lines = events.read_bytes().splitlines()
    meter, kept = Meter(len(lines)), Kept()
    flow = Dataflow("peer")
    source = op.input("lines", flow, Lines(lines, meter))
    stream = op.flat_map_batch("parse", source, parsed_with_watermark if safe else parsed)
    if safe:
        found = op.stateful_batch("rules", stream, lambda kept: SafeUser(SafeRules(rules), kept or Safe()))
    else:
        found = op.stateful_batch("rules", stream, lambda kept: User(rules, kept or {}))
    op.output("kept", found, kept)
    run_main(flow)
    meter.tell([(match.rule, user, match.at) for user, match in kept.results])


if __name__ == "__main__":
    main(Rules([Rule(*fields) for fields in orjson.loads(sys.argv[1])]), Path(sys.argv[2]), "safe" in sys.argv)
