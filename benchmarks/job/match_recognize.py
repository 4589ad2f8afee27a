"""The job's peer: the same patterns in SQL, one MATCH_RECOGNIZE each, in the same mini-cluster from the same topic.

Run by benchmarks.job.throughput. JSON is parsed by the JVM once for all queries. SQL cannot say that something is
absent: such a pattern is given as the sequence of the same events, which is less work. Between the two steps may be
other events, as in the rule. In its best form each query has a condition before it, so that the match sees only what
can be a step of it.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import msgspec
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from benchmarks.kit.job_run import Vertex
from benchmarks.kit.workload import MINUTE
from benchmarks.peers.handwritten import Rule
from jobs import launch
from jobs.inputs import options
from jobs.jvm import name_operators
from jobs.settings import Kafka, Settings
from jobs.sinks import kafka_sink

SOURCE = Vertex("Source: KafkaSource", "events.numRecordsIn")


def read_events(tables: StreamTableEnvironment, kafka: Kafka, lateness: int) -> None:
    with_options = {
        "connector": "kafka",
        "topic-pattern": kafka.reads,
        "properties.bootstrap.servers": kafka.bootstrap,
        "properties.group.id": kafka.group,
        "scan.startup.mode": "earliest-offset",
        "format": "json",
    }
    tables.execute_sql(f"""
        CREATE TEMPORARY TABLE events (
          id STRING, type STRING, user_id STRING, props ROW<amount INT>,
          ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL,
          WATERMARK FOR ts AS ts - INTERVAL '{(lateness + 1) / 1000:.3f}' SECOND(2, 3)
        ) WITH ({options(with_options)})""")


def query(rule: Rule, filtered: bool) -> str:
    """Rows as the job's own: topic, key, value, timestamp. `filtered`: the match sees only what can be a step of it."""
    opens = f"{one_of(rule.first)} AND props.amount >= {rule.least}"
    closes = one_of(rule.second)
    seen = f"({opens}) OR {closes}" if filtered else "user_id IS NOT NULL"
    return f"""
        SELECT 'decisions', user_id, CAST('{rule.name} ' || a || ' ' || b AS BYTES), ms
        FROM (SELECT id, user_id, {opens} AS opens, {closes} AS closes, ts FROM events WHERE {seen})
        MATCH_RECOGNIZE (
          PARTITION BY user_id ORDER BY ts
          MEASURES A.id AS a, B.id AS b, EXTRACT(EPOCH FROM B.ts) * 1000 AS ms
          ONE ROW PER MATCH AFTER MATCH SKIP PAST LAST ROW
          PATTERN (A X*? B) WITHIN INTERVAL '{rule.within // MINUTE}' MINUTE
          DEFINE A AS A.opens, B AS B.closes)"""


def one_of(types: list[str]) -> str:
    return "type IN (" + ", ".join(f"'{name}'" for name in types) + ")"


def compose(
    rules: list[Rule], filtered: bool, env: StreamExecutionEnvironment, settings: Settings, run: launch.Run
) -> None:
    assert settings.kafka is not None
    tables = StreamTableEnvironment.create(env)
    read_events(tables, settings.kafka, settings.time.lateness)
    matches = " UNION ALL ".join(query(rule, filtered) for rule in rules)
    tables.execute_sql(f"CREATE TEMPORARY VIEW outputs (topic, k, v, ts) AS {matches}")
    statements = tables.create_statement_set()
    kafka_sink(tables, statements, settings.kafka)
    statements.attach_as_datastream()
    name_operators(env)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--queries", type=Path, required=True, help="JSON: a list of Rule")
    parser.add_argument("--unfiltered", action="store_true", help="every query sees every event")
    own, rest = parser.parse_known_args(arguments)
    rules = msgspec.json.decode(own.queries.read_bytes(), type=list[Rule])
    return launch.main(partial(compose, rules, not own.unfiltered), rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
