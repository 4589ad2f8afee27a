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
from jobs.codes import open_with_codes
from jobs.inputs import (
    by_user,
    file_events,
    kafka_events,
    open_losses,
    open_registry,
    open_switches,
    polled_releases,
    shipped_release,
)
from jobs.jvm import key_by_first_field, name_operators, rows_of
from jobs.recovery import evaluate_uid
from jobs.settings import Limits, Settings
from jobs.sinks import file_sink, kafka_sink
from kairos.adapters.rules.store import open_rule_store
from kairos.engine.settings import Settings as EngineSettings
from operators.catalog import CatalogItems
from operators.dispatch import Dispatch
from operators.evaluate import Evaluate, EvaluateSettings
from operators.rows import OUTPUT, REQUEST, REQUESTS, WORDS
from operators.rules import RELEASES


def compose(env: StreamExecutionEnvironment, settings: Settings, run: launch.Run) -> None:
    tables = StreamTableEnvironment.create(env)
    if settings.kafka:
        events = kafka_events(tables, settings.kafka, settings.time)
        open_rules = partial(open_with_codes, partial(open_rule_store, settings.rules.store), settings.codes)
        open_sources = partial(open_registry, settings.sources.store) if settings.sources.store else None
        look, poll = partial(open_losses, settings.kafka), settings.rules.poll
        switches = partial(open_switches, settings.rules.store)
        releases = polled_releases(tables, open_rules, open_sources, look, run.release, poll, run.renewing, switches)
    else:
        events = file_events(tables, run.input)
        releases = shipped_release(env, run.release)
    keyed = by_user(tables, events, directly=settings.job.mode == "thread")
    decided = evaluate(keyed, releases, settings, run)
    name_topics(tables, decided)
    outputs = decided.union(dispatch(tables, settings.limits, run))
    if settings.kafka:
        outputs = outputs.union(catalogs(tables, run))
    tables.create_temporary_view("produced", outputs)
    written = tables.sql_query(f"SELECT * FROM produced WHERE topic NOT IN ('{REQUESTS}', '{WORDS}')")
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
        patience=settings.time.patience,
        max_runs=limits.max_runs,
        match_bytes=limits.match_bytes,
        user_bytes=limits.user_bytes,
        regret_for=limits.regret_for if settings.kafka else 0,
        assume_delivered=settings.kafka is None,
    )
    function = Evaluate(
        run.release,
        EvaluateSettings(engine, limits.ahead, limits.dead_letter_bytes, run.receipts, run.fence),
        run.open_profiles,
        time.time,
        run.open_items,
        run.open_coupons,
    )
    broadcast = releases.broadcast(RELEASES)
    decided = events.connect(broadcast).process(function, OUTPUT)
    return decided.uid(evaluate_uid(settings.job.mode)).name("evaluate")


def name_topics(tables: StreamTableEnvironment, decided: DataStream) -> None:
    """What evaluate says as the table `decided`."""
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


def by_key(tables: StreamTableEnvironment, topic: str) -> KeyedStream:
    table = tables.sql_query(f"SELECT k, ROW(v, ts) FROM decided WHERE topic = '{topic}'")
    return key_by_first_field(rows_of(tables, table, REQUEST))


def dispatch(tables: StreamTableEnvironment, limits: Limits, run: launch.Run) -> DataStream:
    function = Dispatch(limits.dead_letter_bytes, run.fence, run.open_coupons)
    return by_key(tables, REQUESTS).process(function, OUTPUT).uid("dispatch").name("dispatch")


def catalogs(tables: StreamTableEnvironment, run: launch.Run) -> DataStream:
    function = CatalogItems(time.time, run.open_shop)
    return by_key(tables, WORDS).process(function, OUTPUT).uid("catalog").name("catalog")


if __name__ == "__main__":
    sys.exit(launch.main(compose, sys.argv[1:]))
