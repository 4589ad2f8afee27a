"""The floor under the job's throughput: the same topology, and one naive Python function in place of the engine.

It parses each event, reads and writes one state value, registers timers, and decides nothing. What the job loses
against it is what the engine costs. There are as many timers as `evaluate` registers for the same events, one of a user
at a time (benchmarks.job.timers counts them), and each fires, as they do there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from functools import partial

import msgspec
from pyflink.common import Row, Types
from pyflink.datastream import KeyedBroadcastProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.table import StreamTableEnvironment

from jobs import launch
from jobs.inputs import by_user, kafka_events, polled_releases
from jobs.jvm import name_operators
from jobs.settings import Settings
from jobs.sinks import kafka_sink
from kairos.adapters.rules.store import open_rule_store
from kairos.engine.topics import deliveries_topic
from operators.rows import OUTPUT, output
from operators.rules import RELEASES
from operators.thread_mode import receive_directly

KEPT = 10
"""The state value: the times of so many events."""


class Naive(KeyedBroadcastProcessFunction):
    """`timers`: so many are registered for an event on average, each `wait` ms after the one before. `answers`: each
    that fires writes a record.

    `directly`: events come the shorter way that `evaluate` has them come (operators/thread_mode.py), not PyFlink's.
    """

    def __init__(self, timers: float, wait: int, answers: bool, directly: bool) -> None:
        self._each, share = divmod(timers, 1)
        self._below = int(share * 1_000_000)
        self._wait = wait
        self._answers = answers
        self.directly = directly

    def open(self, runtime_context: RuntimeContext) -> None:
        if self.directly:
            receive_directly(self)
        self._state = runtime_context.get_state(ValueStateDescriptor("count", Types.PICKLED_BYTE_ARRAY()))
        self._decode = msgspec.json.Decoder().decode
        self._load = msgspec.msgpack.Decoder(list[int]).decode
        self._dump = msgspec.msgpack.Encoder().encode

    def process_element(self, value: Row, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> Iterable[Row]:
        _, line, _, _ = value
        event = self._decode(line)
        kept = self._state.value()
        times = [] if kept is None else self._load(kept)
        times = [*times[1 - KEPT :], event["time"]]
        timers = int(self._each) + (hash(event["id"]) % 1_000_000 < self._below)
        for number in range(1, timers + 1):
            ctx.timer_service().register_event_time_timer(event["time"] + number * self._wait)
        self._state.update(self._dump(times))
        return ()

    def process_broadcast_element(self, value: bytes, ctx: KeyedBroadcastProcessFunction.Context) -> Iterable[Row]:
        return ()

    def on_timer(self, timestamp: int, ctx: KeyedBroadcastProcessFunction.OnTimerContext) -> Iterable[Row]:
        self._state.value()
        if not self._answers:
            return ()
        user = ctx.get_current_key()
        answer = {"activity": "floor", "user_id": user, "at": timestamp}
        return (output(deliveries_topic("webhook"), user, msgspec.json.encode(answer), timestamp),)


def compose(naive: Naive, env: StreamExecutionEnvironment, settings: Settings, run: launch.Run) -> None:
    assert settings.kafka is not None
    tables = StreamTableEnvironment.create(env)
    events = by_user(tables, kafka_events(tables, settings.kafka, settings.time), directly=naive.directly)
    open_rules = partial(open_rule_store, settings.rules.store)
    releases = polled_releases(tables, open_rules, None, None, run.release, settings.rules.poll)
    counted = events.connect(releases.broadcast(RELEASES)).process(naive, OUTPUT).uid("naive").name("evaluate")
    tables.create_temporary_view("outputs", counted)
    statements = tables.create_statement_set()
    kafka_sink(tables, statements, settings.kafka)
    statements.attach_as_datastream()
    name_operators(env)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--timers", type=float, required=True, help="for an event")
    parser.add_argument("--wait", type=int, default=600_000, help="ms from an event to its timer")
    parser.add_argument("--answers", action="store_true", help="a timer that fires writes a record")
    parser.add_argument("--directly", action="store_true", help="events come past PyFlink, as those of the job")
    own, rest = parser.parse_known_args(arguments)
    return launch.main(partial(compose, Naive(own.timers, own.wait, own.answers, own.directly)), rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
