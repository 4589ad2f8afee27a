"""Where rows (topic, k, v, ts) go: Kafka topics, or one folder per topic."""

from __future__ import annotations

import re

from pyflink.table import StatementSet, StreamTableEnvironment

from jobs.inputs import options, sql_text
from jobs.settings import Kafka
from kairos.engine.topics import DECISIONS, EVENTS, written_by_job


def file_sink(tables: StreamTableEnvironment, statements: StatementSet, folder: str) -> None:
    """`<folder>/topic=<topic>/part-...`, one value a line."""
    tables.execute_sql(f"""
        CREATE TEMPORARY TABLE records (v BYTES, topic STRING) PARTITIONED BY (topic)
        WITH ('connector' = 'filesystem', 'path' = {sql_text(folder)}, 'format' = 'raw',
          'sink.rolling-policy.rollover-interval' = '1 h')""")
    statements.add_insert_sql("INSERT INTO records SELECT v, topic FROM outputs")


def kafka_sink(tables: StreamTableEnvironment, statements: StatementSet, kafka: Kafka) -> None:
    """At least once, visible at once; `decisions` exactly once on demand, then visible at each checkpoint."""
    _kafka_table(tables, "records", written_by_job(kafka.prefix), kafka)
    if kafka.exactly_once:
        _kafka_table(tables, "exact_records", re.escape(kafka.prefix + DECISIONS), kafka, exactly_once=True)
        statements.add_insert_sql(_insert("exact_records", kafka.prefix, f"WHERE topic = '{DECISIONS}'"))
        statements.add_insert_sql(_insert("records", kafka.prefix, f"WHERE topic <> '{DECISIONS}'"))
    else:
        statements.add_insert_sql(_insert("records", kafka.prefix, ""))


def _insert(table: str, prefix: str, where: str) -> str:
    return f"""
        INSERT INTO {table}
        SELECT CASE WHEN topic LIKE {sql_text(EVENTS + "%")} THEN topic ELSE {sql_text(prefix)} || topic END,
          k, v, TO_TIMESTAMP_LTZ(ts, 3) FROM outputs {where}"""


def _kafka_table(
    tables: StreamTableEnvironment, name: str, topics: str, kafka: Kafka, *, exactly_once: bool = False
) -> None:
    with_options = {
        "connector": "kafka",
        "topic-pattern": topics,
        "properties.bootstrap.servers": kafka.bootstrap,
        "key.format": "raw",
        "key.fields": "k",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
        "sink.delivery-guarantee": "exactly-once" if exactly_once else "at-least-once",
        "properties.acks": "all",
        "properties.linger.ms": "5",
        **{f"properties.{key}": value for key, value in kafka.properties.items()},
    }
    if exactly_once:
        with_options["sink.transactional-id-prefix"] = f"{kafka.group}-{name}"
        with_options["properties.transaction.timeout.ms"] = str(int(kafka.transaction_timeout))
    tables.execute_sql(f"""
        CREATE TEMPORARY TABLE {name} (
          topic STRING METADATA, k STRING, v BYTES, ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp'
        ) WITH ({options(with_options)})""")
