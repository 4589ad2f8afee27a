"""The main job: source -> evaluate -> dispatch -> sinks. Composition only.

    python -m jobs.marketing --conf conf/embedded.yaml [--set section.key=value]... [--from latest|PATH]

Exit codes: 0 done (or stopped with a savepoint), 1 the job failed, 2 it could not start.
"""

from __future__ import annotations

import sys
import time
from functools import partial

from pyflink.datastream import DataStream, KeyedStream, StreamExecutionEnvironment
from pyflink.table import DataTypes, Schema, StreamTableEnvironment

from jobs import launch
from jobs.jvm import key_by_first_field, name_operators, rows_of
from jobs.recovery import evaluate_uid
from jobs.settings import Settings
from jobs.sinks import file_sink, kafka_sink
from jobs.sources import by_user, file_events, kafka_events, open_registry, polled_releases, shipped_release
from kairos.adapters.rule_store import open_rule_store
from kairos.engine.moment import Settings as EngineSettings
from operators.dispatch import Dispatch
from operators.evaluate import Evaluate, EvaluateSettings
from operators.rows import OUTPUT, REQUEST, REQUESTS
from operators.rules import RELEASES


def compose(env: StreamExecutionEnvironment, settings: Settings, run: launch.Run) -> None:
    tables = StreamTableEnvironment.create(env)
    if settings.kafka:
        events = kafka_events(tables, settings.kafka, settings.time)
        open_rules = partial(open_rule_store, settings.rules.store)
        open_sources = partial(open_registry, settings.sources.store) if settings.sources.store else None
        releases = polled_releases(tables, open_rules, open_sources, run.release, settings.rules.poll)
    else:
        events = file_events(tables, run.input)
        releases = shipped_release(env, run.release)
    keyed = by_user(tables, events, directly=settings.job.mode == "thread")
    decided = evaluate(keyed, releases, settings, run)
    outputs = decided.union(dispatch(tables, decided))
    tables.create_temporary_view("produced", outputs)
    written = tables.sql_query(f"SELECT * FROM produced WHERE topic <> '{REQUESTS}'")
    tables.create_temporary_view("outputs", written)
    statements = tables.create_statement_set()
    if settings.kafka:
        kafka_sink(tables, statements, settings.kafka)
    else:
        file_sink(tables, statements, run.output)
    statements.attach_as_datastream()
    name_operators(env)


def evaluate(events: KeyedStream, releases: DataStream, settings: Settings, run: launch.Run) -> DataStream:
    """The uid carries the execution mode: state of the other mode would come back empty without a word."""
    limits = settings.limits
    engine = EngineSettings(
        lateness=settings.time.lateness,
        max_runs=limits.max_runs,
        regret_for=limits.regret_for if settings.kafka else 0,
        assume_delivered=settings.kafka is None,
    )
    function = Evaluate(
        run.release,
        EvaluateSettings(engine, limits.ahead, limits.dead_letter_bytes, run.receipts),
        run.open_profiles,
        time.time,
    )
    broadcast = releases.broadcast(RELEASES)
    decided = events.connect(broadcast).process(function, OUTPUT)
    return decided.uid(evaluate_uid(settings.job.mode)).name("evaluate")


def dispatch(tables: StreamTableEnvironment, decided: DataStream) -> DataStream:
    schema = (
        Schema.new_builder()
        .column("topic", DataTypes.STRING())
        .column("k", DataTypes.STRING())
        .column("v", DataTypes.BYTES())
        .column("ts", DataTypes.BIGINT())
        .column_by_expression("rt", "TO_TIMESTAMP_LTZ(ts, 3)")
        .watermark("rt", "SOURCE_WATERMARK()")
        .build()
    )
    tables.create_temporary_view("decided", decided, schema)
    table = tables.sql_query(f"SELECT k, ROW(v, ts) FROM decided WHERE topic = '{REQUESTS}'")
    requests = rows_of(tables, table, REQUEST)
    return key_by_first_field(requests).process(Dispatch(), OUTPUT).uid("dispatch").name("dispatch")


if __name__ == "__main__":
    sys.exit(launch.main(compose, sys.argv[1:]))
