"""The floor under the job's throughput: the same topology, and one naive Python function in place of the engine.

It parses each event, reads and writes one state value, registers a timer for every tenth event, and decides nothing.
What the job loses against it is what the engine costs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import partial

import msgspec
from pyflink.common import Row, Types
from pyflink.datastream import KeyedBroadcastProcessFunction, RuntimeContext, StreamExecutionEnvironment
from pyflink.datastream.state import ValueStateDescriptor
from pyflink.table import StreamTableEnvironment

from jobs import launch
from jobs.jvm import key_by_first_field, name_operators
from jobs.settings import Settings
from jobs.sinks import kafka_sink
from jobs.sources import kafka_events, polled_releases
from kairos.adapters.rule_store import open_rule_store
from operators.rows import OUTPUT
from operators.rules import RELEASES

WAIT_MS = 600_000
TIMER_SHARE = 10
"""One event in so many registers a timer."""


class Naive(KeyedBroadcastProcessFunction):
    def open(self, runtime_context: RuntimeContext) -> None:
        self._state = runtime_context.get_state(ValueStateDescriptor("count", Types.PICKLED_BYTE_ARRAY()))
        self._decode = msgspec.json.Decoder().decode
        self._load = msgspec.msgpack.Decoder(list[int]).decode
        self._dump = msgspec.msgpack.Encoder().encode

    def process_element(self, value: Row, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> Iterable[Row]:
        _, line, _, _ = value
        event = self._decode(line)
        kept = self._state.value()
        times = [] if kept is None else self._load(kept)
        times = [*times[-9:], event["time"]]
        if hash(event["id"]) % TIMER_SHARE == 0:
            ctx.timer_service().register_event_time_timer(event["time"] + WAIT_MS)
        self._state.update(self._dump(times))
        return ()

    def process_broadcast_element(self, value: bytes, ctx: KeyedBroadcastProcessFunction.Context) -> Iterable[Row]:
        return ()

    def on_timer(self, timestamp: int, ctx: KeyedBroadcastProcessFunction.OnTimerContext) -> Iterable[Row]:
        self._state.value()
        return ()


def compose(env: StreamExecutionEnvironment, settings: Settings, run: launch.Run) -> None:
    assert settings.kafka is not None
    tables = StreamTableEnvironment.create(env)
    events = key_by_first_field(kafka_events(tables, settings.kafka, settings.time))
    releases = polled_releases(tables, partial(open_rule_store, settings.rules.store), run.release, settings.rules.poll)
    counted = events.connect(releases.broadcast(RELEASES)).process(Naive(), OUTPUT).uid("naive").name("evaluate")
    tables.create_temporary_view("outputs", counted)
    statements = tables.create_statement_set()
    kafka_sink(tables, statements, settings.kafka)
    statements.attach_as_datastream()
    name_operators(env)


if __name__ == "__main__":
    sys.exit(launch.main(compose, sys.argv[1:]))
