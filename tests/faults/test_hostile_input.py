"""What data and rules can do to a running job: nothing but be counted. One job takes it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from harness.job import MINUTE, LiveJob, event, eventually, now
from harness.rules import watch, write_rules
from kairos.adapters.profiles.redis import connect
from kairos.apps.stack import Stack

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

YEAR = 365 * 24 * 60 * MINUTE

SOURCES = """
shop: {events: {view: {page: string!, seconds: number}, login: {}, order_created: {}}}
closed: {enabled: false, events: {view: {}}}
"""

TEXTED = """
    activity: texted
    state: live
    trigger: {event: login}
    send: [{channel: sms, template: unpaid}]
    data: {order_id: '"o1"'}
"""


def scripted(name: str, script: str) -> str:
    return f"""
        activity: {name}
        state: live
        trigger: {{event: order_created, where: {{js: "{script}"}}}}
    """


LOOPS = scripted("loops", "(() => { while (true) {} })()")
ALLOCATES = scripted("allocates", "(() => { const all = []; while (true) all.push(new Array(1e6).fill(1)) })()")
THROWS = scripted("throws", "event.props.no.such")
BEHAVES = scripted("behaves", "event.type === 'order_created'")


@pytest.fixture
def own(own_stack: Callable[..., Stack]) -> Stack:
    return own_stack("kafka", "redis", "heartbeat")


@pytest.fixture
def job(own: Stack, tmp_path: Path) -> Iterator[LiveJob]:
    scripts = {"loops": LOOPS, "allocates": ALLOCATES, "throws": THROWS, "behaves": BEHAVES}
    rules = write_rules(tmp_path / "rules", viewed=watch("viewed", "view"), texted=TEXTED, **scripts)
    (rules / "sources.yaml").write_text(SOURCES)
    redis = f"profiles.redis={own.settings.redis_url}"
    job = LiveJob(tmp_path / "job", own.settings.kafka, rules, [redis, "profiles.degrade=true", "profiles.ttl=0s"])
    job.start().until_running()
    yield job
    job.close()


def test_it_goes_on_whatever_comes(own: Stack, job: LiveJob) -> None:
    strange_events(job)
    scripts_without_end(job)
    without_redis(own, job)
    assert (job.state()["state"], job.restarts()) == ("RUNNING", 0)


def strange_events(job: LiveJob) -> None:
    """Unregistered, unknown, broken, years late, and one that comes three times."""
    job.send(event("known", "view", now(), page="a"))
    job.until_decided("known")
    moment = now()
    job.send(
        event("odd", "view", moment, page="a") | {"source": "nowhere"},
        event("odd", "view", moment + 1, page="a") | {"source": "closed"},
        event("odd", "unheard_of", moment + 2),
        event("odd", "view", moment + 3),
        event("odd", "view", moment + 4, page=5),
        event("known", "view", moment - 5 * YEAR, page="a"),
    )
    twin = event("twin", "view", moment, page="b")
    job.send(twin, twin, twin)
    wrong = msgspec.json.encode(event("odd", "view", moment, page="a") | {"time": (moment + 2 * 60 * MINUTE)})
    job.topics.send_raw(job.events, "odd", wrong, moment)
    reasons = ("unknown_source", "disabled_source", "unknown_type", "missing_prop", "wrong_type", "late", "future")
    letters = eventually(job.dead_letters, lambda found: len(found) >= len(reasons))
    assert Counter(letter["reason"] for letter in letters) == Counter(reasons)
    counted = {"engine.duplicate": 2} | {f"dead_letters.{reason}": 1 for reason in reasons}
    eventually(job.counters, lambda found: counted.items() <= found.items())
    assert len(job.until_decided("twin")) == 1
    assert job.decisions("odd") == []


def scripts_without_end(job: LiveJob) -> None:
    """Such a condition is false; the event goes on to the activities after it."""
    job.send(event("patient", "order_created", now()))
    assert {record["activity"] for record in job.until_decided("patient")} == {"behaves"}
    eventually(job.counters, lambda found: found["javascript.failed"] >= 3)


def without_redis(own: Stack, job: LiveJob) -> None:
    """`degrade`: decided without the profile, and marked."""
    connect(own.settings.redis_url).hset("profile:calm", mapping={"phone": "13800000000"})
    job.send(event("calm", "login", now()))
    (before,) = job.until_decided("calm")
    assert (before["outcome"], before["channel"], "degraded" in before) == ("send", "sms", False)
    own.freeze("redis")
    job.send(event("dark", "login", now()))
    (meanwhile,) = job.until_decided("dark")
    assert (meanwhile["outcome"], meanwhile["channel"], meanwhile["degraded"]) == ("send", "sms", True)
    own.thaw("redis")

    def marked() -> bool:
        """Whether a user who comes now is still decided about in the dark."""
        stranger = f"light{now()}"
        connect(own.settings.redis_url).hset(f"profile:{stranger}", mapping={"phone": "13800000001"})
        job.send(event(stranger, "login", now()))
        return "degraded" in job.until_decided(stranger)[0]

    eventually(marked, lambda still: not still)
