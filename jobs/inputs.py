"""Where records and releases come from: Kafka or one sorted file, the rule store or nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from pyflink.common import Duration, Types, WatermarkStrategy
from pyflink.datastream import DataStream, KeyedStream, StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment, Table

from jobs.jvm import key_by_first_field, rows_of
from jobs.settings import Kafka, Time
from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.database import Control
from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.losses import LossWatch
from kairos.adapters.sources.port import Snapshot, open_source_store
from kairos.engine.topics import DELIVERIES
from operators.losses import LookForLosses
from operators.registry import FoundSources, LookUp, Sources
from operators.rows import KEYED_RECORD, RECORD
from operators.rules import PollRules, RuleStore, announce_shipped
from operators.switch import LookAtSwitches


def sql_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def options(values: dict[str, str]) -> str:
    return ", ".join(f"{sql_text(key)} = {sql_text(value)}" for key, value in values.items())


def kafka_events(tables: StreamTableEnvironment, kafka: Kafka, timing: Time) -> Table:
    """A table of records: everything under the topic pattern, keyed by the record's key, or the value's user_id where
    it has none.

    Watermarks are made inside the source, for each partition; a record that is ahead of the clock does not move them.
    Heartbeats have done their work when they have been read, and go no further.
    """
    start = {"committed": "group-offsets", "earliest": "earliest-offset", "latest": "latest-offset"}[kafka.start]
    with_options = {
        "connector": "kafka",
        "topic-pattern": kafka.reads,
        "properties.bootstrap.servers": kafka.bootstrap,
        "properties.group.id": kafka.group,
        "properties.auto.offset.reset": "earliest",
        "scan.startup.mode": start,
        "scan.topic-partition-discovery.interval": f"{kafka.discovery} ms",
        "key.format": "raw",
        "key.fields": "k",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
        **{f"properties.{key}": value for key, value in kafka.properties.items()},
    }
    if timing.alignment:
        with_options["scan.watermark.alignment.group"] = "events"
        with_options["scan.watermark.alignment.max-drift"] = f"{timing.alignment} ms"
    # The watermark says that nothing older than or equal to it comes: one millisecond less than the lateness allows.
    delay = timing.lateness + 1
    tables.execute_sql(f"""
        CREATE TEMPORARY TABLE events (
          k STRING,
          v BYTES,
          topic STRING METADATA VIRTUAL,
          part INT METADATA FROM 'partition' VIRTUAL,
          place BIGINT METADATA FROM 'offset' VIRTUAL,
          ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
          WATERMARK FOR ts AS CASE WHEN ts <= CURRENT_TIMESTAMP + INTERVAL '1' MINUTE
            THEN ts - INTERVAL '{delay / 1000:.3f}' SECOND({max(2, len(str(delay // 1000)))}, 3) END
        ) WITH ({options(with_options)})""")
    return tables.sql_query("""
        SELECT CASE WHEN k IS NOT NULL THEN k ELSE JSON_VALUE(CAST(v AS STRING), '$.user_id') END AS k, v,
          CAST(EXTRACT(EPOCH FROM ts) AS BIGINT) * 1000 + EXTRACT(MILLISECOND FROM ts) AS ts,
          topic || '/' || CAST(part AS STRING) || '@' || CAST(place AS STRING) AS origin
        FROM events
        WHERE k IS NOT NULL OR JSON_VALUE(CAST(v AS STRING), '$.type') IS DISTINCT FROM 'heartbeat'""")


def file_events(tables: StreamTableEnvironment, path: str) -> Table:
    """A table of records, from a file that `jobs.prepare` has written in the order of event time; read as one split."""
    tables.execute_sql(f"""
        CREATE TEMPORARY TABLE events (
          k STRING, ts BIGINT, v BYTES, place BIGINT,
          rt AS TO_TIMESTAMP_LTZ(ts, 3),
          WATERMARK FOR rt AS rt - INTERVAL '0.001' SECOND
        ) WITH ('connector' = 'filesystem', 'path' = {sql_text(path)}, 'format' = 'json')""")
    return tables.sql_query("SELECT k, v, ts, 'line ' || CAST(place AS STRING) AS origin FROM events")


def by_user(tables: StreamTableEnvironment, records: Table, *, directly: bool = False) -> KeyedStream:
    """Records by their key. `directly`: for a function that receives rows as operators/thread_mode.py hands them over,
    which is as they are; any other gets a record because it is the second field of a row.
    """
    if directly:
        return key_by_first_field(rows_of(tables, records, RECORD))
    keyed = tables.sql_query(f"SELECT k, ROW(k, v, ts, origin) FROM {records}")
    return key_by_first_field(rows_of(tables, keyed, KEYED_RECORD))


def open_registry(address: str) -> LookUp:
    """`address`: an SQLAlchemy URL. Nothing is connected yet. Raises SourceStoreError."""
    store = open_source_store(address, {})

    def look_up() -> tuple[FoundSources, Sequence[str]]:
        snapshot = store.read()
        return FoundSources(declared(snapshot), snapshot.unusable), snapshot.problems

    return look_up


def open_switches(store: str) -> LookAtSwitches:
    """`store`: where the rules are. Nothing is connected yet. Raises RuleStoreError."""
    return ActivityStates(Control(store)).read


def open_losses(kafka: Kafka) -> LookForLosses:
    """What the job's group and those of its workers have not read. Nothing is connected yet. Raises SettingsError."""
    prefix = re.escape(kafka.prefix)
    groups = f"{re.escape(kafka.group)}|{prefix}kairos-deliver-.*"
    topics = f"{kafka.reads}|{prefix}{re.escape(DELIVERIES)}.+"
    return LossWatch(client_options(kafka), groups, topics).look


def declared(snapshot: Snapshot) -> Sources:
    """What each source sends; how it may be reached is its door's business."""
    return {name: entry.source for name, entry in snapshot.entries.items()}


def polled_releases(
    tables: StreamTableEnvironment,
    open_store: Callable[[], RuleStore],
    open_sources: Callable[[], LookUp] | None,
    open_losses: Callable[[], LookForLosses] | None,
    shipped: bytes,
    poll: int,
    open_lease: Callable[[], Callable[[], None]] | None = None,
    open_switches: Callable[[], LookAtSwitches] | None = None,
) -> DataStream:
    """One look at the stores every `poll` ms, and a sign of life for the lease. It emits only changes and neither
    holds time back nor drives it."""
    rate = max(1, 1000 // poll)
    tables.execute_sql(f"""
        CREATE TEMPORARY TABLE ticks (tick BIGINT)
        WITH ('connector' = 'datagen', 'scan.parallelism' = '1', 'rows-per-second' = '{rate}')""")
    ticks = rows_of(tables, tables.from_path("ticks"), Types.ROW_NAMED(["tick"], [Types.LONG()]))
    timeless = WatermarkStrategy.no_watermarks().with_idleness(Duration.of_seconds(1))
    releases = ticks.flat_map(
        PollRules(open_store, open_sources, open_losses, shipped, time.time, open_lease, open_switches)
    )
    releases = releases.uid("poll-rules").set_parallelism(1)
    return releases.assign_timestamps_and_watermarks(timeless).uid("timeless-rules").set_parallelism(1)


def shipped_release(env: StreamExecutionEnvironment, release: bytes) -> DataStream:
    """Bounded control for bounded input: the release current at submission, once."""
    return env.from_collection([announce_shipped(release)])
