"""Every metric of every process, under one scheme: `kairos_<part>_<what>_<unit>`. docs/metrics.md is made of it."""

from __future__ import annotations

from typing import NamedTuple

from kairos.adapters.metrics.metrics import Metric

ACCESS_EVENTS = Metric(
    "kairos_access_events_total",
    "counter",
    "Events by source and outcome: accepted, waiting, bound, refused, merged.",
    ("source", "outcome"),
)
ACCESS_REFUSED = Metric(
    "kairos_access_refused_total", "counter", "Refused events by source and reason.", ("source", "reason")
)
ACCESS = (ACCESS_EVENTS, ACCESS_REFUSED)

REQUESTS = Metric("kairos_gateway_requests_total", "counter", "Requests by HTTP status.", ("status",))
PROBLEMS = Metric(
    "kairos_gateway_problems_total", "counter", "Requests and calls that were not served, by code.", ("code",)
)
CALLS = Metric("kairos_gateway_calls_total", "counter", "Calls over gRPC by its status.", ("status",))
ANSWERS = Metric(
    "kairos_gateway_answer_seconds",
    "histogram",
    "From a request's head to its answer: taken (Kafka has the events), refused (the sender's mistake), unavailable.",
    ("door", "result"),
)
SHED = Metric(
    "kairos_gateway_shed_total",
    "counter",
    "Requests and calls that were refused because the gateway or Kafka was slow, by source.",
    ("source",),
)
GATEWAY = (REQUESTS, PROBLEMS, CALLS, ANSWERS, SHED)

REPORTS = Metric(
    "kairos_callbacks_reports_total",
    "counter",
    "Reports of providers: what became of a message, or why none was learnt: refused, unknown, away.",
    ("channel", "outcome"),
)
UNSUBSCRIBES = Metric(
    "kairos_callbacks_unsubscribes_total",
    "counter",
    "Visits to the page by which people leave: shown, done, refused, away.",
    ("outcome",),
)
CALLBACKS = (REPORTS, UNSUBSCRIBES)

API_REQUESTS = Metric("kairos_api_requests_total", "counter", "Requests by HTTP status.", ("status",))
API = (API_REQUESTS,)

CARRYING = Metric("kairos_bridge_carrying", "gauge", "1 while messages are carried, 0 while the bridge waits.")
BRIDGE = (CARRYING,)

MESSAGES = Metric(
    "kairos_delivery_messages_total",
    "counter",
    "Messages that came to their end: sent, failed (with its reason), unknown, expired, recalled; repeated: known.",
    ("channel", "outcome", "reason"),
)
RETRIES = Metric("kairos_delivery_retries_total", "counter", "Calls that will be repeated.", ("channel",))
RECALLS = Metric(
    "kairos_delivery_recalls_total", "counter", "Recalls: recalled in time, or too_late.", ("channel", "outcome")
)
LETTERS = Metric(
    "kairos_delivery_dead_letters_total", "counter", "Records that could not be used, by reason.", ("channel", "reason")
)
PROVIDER = Metric("kairos_delivery_call_seconds", "histogram", "One call of a provider.", ("channel",))
IN_HAND = Metric("kairos_delivery_in_hand_messages", "gauge", "Messages between mailbox and ledger.", ("channel",))
LAG = Metric("kairos_delivery_lag_records", "gauge", "Records behind the end of the channel's topic.", ("channel",))
DELIVERY = (MESSAGES, RETRIES, RECALLS, LETTERS, PROVIDER, IN_HAND, LAG)

LEADING = Metric("kairos_scheduler_leading", "gauge", "1 while this process tells, 0 while it waits for the lease.")
STEPS = Metric("kairos_scheduler_steps_total", "counter", "Looks at what is due: done, or failed.", ("outcome",))
TOLD = Metric("kairos_scheduler_events_total", "counter", "Events of schedules written into Kafka.")
ENDED = Metric("kairos_scheduler_rollouts_ended_total", "counter", "Rollouts that a guardrail has ended.")
SCHEDULER = (LEADING, STEPS, TOLD, ENDED)

ROUNDS = Metric("kairos_heartbeat_rounds_total", "counter", "Rounds over the partitions: done, failed.", ("outcome",))
PARTITIONS = Metric("kairos_heartbeat_partitions", "gauge", "Partitions that the last round reached.")
LAST_ROUND = Metric("kairos_heartbeat_last_round_timestamp_seconds", "gauge", "When the last round was done.")
HEARTBEAT = (ROUNDS, PARTITIONS, LAST_ROUND)

ROWS = Metric("kairos_warehouse_rows_total", "counter", "New rows by table.", ("table",))
BROKEN = Metric("kairos_warehouse_broken_records_total", "counter", "Records that were left out.")
LAST_LOAD = Metric("kairos_warehouse_last_load_timestamp_seconds", "gauge", "When the last rows were written.")
LAST_POLL = Metric("kairos_warehouse_last_poll_timestamp_seconds", "gauge", "When Kafka was last asked for more.")
WAREHOUSE = (ROWS, BROKEN, LAST_LOAD, LAST_POLL)

FIRING = Metric("kairos_alarms_firing", "gauge", "Business alarms that are not over, by alarm.", ("alarm",))
BEGUN = Metric("kairos_alarms_begun_total", "counter", "Business alarms that began, by alarm.", ("alarm",))
LAST_MINUTE = Metric("kairos_alarms_last_minute_timestamp_seconds", "gauge", "The newest minute that was judged.")
ALARMS = (FIRING, BEGUN, LAST_MINUTE)

LOST_SPANS = Metric("kairos_traces_lost_total", "counter", "What was done and could not be told to OpenTelemetry.")
TRACES = (LOST_SPANS,)


class Part(NamedTuple):
    """`command`: what serves these metrics."""

    title: str
    command: str
    metrics: tuple[Metric, ...]


PARTS = (
    Part("Events taken in", "kairos gateway, kairos bridge", ACCESS),
    Part("Gateway", "kairos gateway", GATEWAY),
    Part("Bridges", "kairos bridge", BRIDGE),
    Part("Callbacks", "kairos callbacks", CALLBACKS),
    Part("Delivery", "kairos deliver", DELIVERY),
    Part("API", "kairos api", API),
    Part("Scheduler", "kairos scheduler", SCHEDULER),
    Part("Heartbeat", "kairos heartbeat", HEARTBEAT),
    Part("Warehouse", "kairos warehouse load --follow", WAREHOUSE),
    Part("Business alarms", "kairos alarms", ALARMS),
    Part("Traces", "kairos gateway, kairos bridge, kairos deliver", TRACES),
)

JOB = {
    "engine": "Of the engine: late, duplicate, merged events, what bounds have dropped, operators that failed.",
    "outcomes": "Decisions about sends, by outcome.",
    "dead_letters": "Records that could not be used, by reason.",
    "rules": "Releases: found, adopted, refused.",
    "shadows": "Versions that a release puts on trial and that nobody knows: refused.",
    "sources": "Definitions of sources: found, adopted, refused.",
    "switches": "What pauses, resumes and ends activities: found, heeded, refused.",
    "profiles": "Looks at profiles, by what came of them.",
    "catalog": "Changes of items, and whom of their followers they reached.",
    "items": "Looks at items of catalogs, by what came of them.",
    "coupons": "Looks at the stock of coupons, by what came of them.",
    "javascript": "Conditions in JavaScript: failed, refused.",
    "lost": "Records that Kafka has deleted before they were read; unwatched: it could not be asked.",
}
"""The job's counters by group: `kairos_job_<group>_total{what="..."}`, as Prometheus calls what Flink's reporter tells
(deploy/monitoring/prometheus.yml)."""
