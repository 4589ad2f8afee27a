"""Starts a job: reads its configuration, checks what it needs, runs it here or hands it to a cluster."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec
from pyflink.common import Configuration, JobClient
from pyflink.datastream import StreamExecutionEnvironment

from jobs.checks import StartError, check, first_release, first_sources, first_switches
from jobs.codes import opening, put_in_place
from jobs.environment import MAX_PARALLELISM, configuration, on_cluster, prepare_process
from jobs.jvm import stop_with_savepoint
from jobs.lease import Renew, release_lease, renewing, take_lease
from jobs.prepare import Told, prepare
from jobs.progress import Progress, at_work, free_port
from jobs.recovery import restore_path
from jobs.rehearsal import load_python
from jobs.settings import Settings, SettingsError, load, uri
from kairos.adapters.catalog.redis import RedisItems
from kairos.adapters.coupons.port import CouponStoreError
from kairos.adapters.files.events import NotJsonLinesError
from kairos.adapters.gate import GATE, wait_at
from kairos.adapters.java import first_cause
from kairos.adapters.profiles.file import read_profiles
from kairos.adapters.profiles.opening import open_profiles
from kairos.engine.catalog.items import ItemsThen
from kairos.engine.catalog.played import play_catalogs
from kairos.engine.event import Event
from kairos.engine.rule.model import RuleSet
from kairos.engine.schedule.played import with_slots
from operators.catalog import OpenShop
from operators.dispatch import OpenCoupons
from operators.evaluate import OpenItems
from operators.profiles import ProfileSource
from operators.rules import Shipped

PARTS = "parts"
"""Folder under the output where the file sink writes."""

POLL_SECONDS = 0.1
AT_WORK_SECONDS = 60.0
"""For how long who stops a job waits for its tasks to run."""

OpenProfiles = Callable[[Callable[[str], None]], ProfileSource]


@dataclass(frozen=True)
class Run:
    """What one start of a job is made of. `release`: Shipped, in msgpack. `fence`: what its deliveries carry;
    `renewing`: opens what keeps its lease; `open_...`: what each task opens. The rest is for bounded runs."""

    release: bytes
    open_profiles: OpenProfiles | None
    input: str = ""
    output: str = ""
    rows: int = 0
    receipts: list[Event] | None = None
    open_items: OpenItems | None = None
    open_coupons: OpenCoupons | None = None
    open_shop: OpenShop | None = None
    fence: str = ""
    renewing: Callable[[], Renew] | None = None


Compose = Callable[[StreamExecutionEnvironment, Settings, Run], None]


def main(compose: Compose, arguments: Sequence[str]) -> int:
    options = _arguments(arguments)
    try:
        settings = load(options.conf, options.set)
        if gate := os.environ.get(GATE):
            _rehearse(compose, settings, options.load)
            options.restore, options.take_over = _told(gate)
        restore = restore_path(settings, options.restore) if options.restore else None
        check(settings)
        run = prepare_run(settings)
        lease = take_lease(settings, by_force=options.take_over)
        run = replace(run, fence=lease.fence if lease else "", renewing=renewing(settings, lease))
    except (SettingsError, StartError) as error:
        say(str(error))
        return 2
    if not on_cluster():
        prepare_process(settings)
    port = free_port()
    try:
        client = _execute(compose, settings, run, configuration(settings, restore, port))
    except BaseException:
        release_lease(settings, lease)
        raise
    say(f"job {client.get_job_id()} is running")
    if on_cluster():
        return 0  # the job itself keeps the lease
    try:
        return wait(client, settings, port, Progress(port, run.rows, say) if settings.files else None)
    finally:
        release_lease(settings, lease)


def _execute(compose: Compose, settings: Settings, run: Run, options: Configuration) -> JobClient:
    return _composed(compose, settings, run, options).execute_async(settings.job.name)


def _composed(compose: Compose, settings: Settings, run: Run, options: Configuration) -> StreamExecutionEnvironment:
    env = StreamExecutionEnvironment.get_execution_environment(options)
    env.set_max_parallelism(MAX_PARALLELISM)
    compose(env, settings, run)
    return env


def _rehearse(compose: Compose, settings: Settings, slots: int) -> None:
    """Everything but to take the lease and to submit it, so that both go fast afterwards. Raises StartError for what is
    missing, for a job that cannot be composed, and for Python that does not load.

    State is not read: whether the next job can go on from it is known when it has it.
    """
    check(settings)
    run = prepare_run(settings)
    _composed(compose, settings, run, configuration(settings, None, 0)).get_execution_plan()
    if slots and settings.job.mode == "thread":
        load_python(settings, slots)


def _told(gate: str) -> tuple[str, bool]:
    """Where to go on from, and whether without waiting for the lease. Raises StartError."""
    start = wait_at(gate)
    if start is None:
        raise StartError("whoever prepared this job has died before it was to start; it is not submitted")
    return start.savepoint, start.take_over


def say(message: str) -> None:
    sys.stderr.write(f"kairos: {message}\n")
    sys.stderr.flush()


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="marketing", description="Runs the job, in this process or under `flink run`."
    )
    parser.add_argument("--conf", default="conf/embedded.yaml", help="configuration file (default: %(default)s)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="overrides a key: kafka.bootstrap=..."
    )
    parser.add_argument(
        "--from",
        dest="restore",
        metavar="PATH",
        help="resume from a savepoint or checkpoint; `latest`: the newest checkpoint",
    )
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="start even while another engine is at work on the same topics: what it decides from now on is refused",
    )
    parser.add_argument(
        "--load", type=int, default=0, metavar="SLOTS", help="of a job that is only prepared: load Python in free slots"
    )
    return parser.parse_args(arguments)


def prepare_run(settings: Settings) -> Run:
    """Raises StartError."""
    now = time.time_ns() // 1_000_000
    shipped = Shipped(first_release(settings), now, first_sources(settings), first_switches(settings))
    release = msgspec.msgpack.encode(shipped)
    profiles = settings.profiles
    open_source = partial(open_profiles, profiles) if profiles.redis or profiles.file else None
    open_coupons = opening(settings.codes)
    if settings.files is None or open_coupons is not None:
        try:
            put_in_place(settings.codes, shipped.release)
        except CouponStoreError as error:
            raise StartError(f"coupons: {error}") from None
    if settings.files is None:
        shop = partial(RedisItems, profiles.redis) if profiles.redis else None
        return Run(release, open_source, open_items=shop, open_coupons=open_coupons, open_shop=shop)
    output = Path(settings.files.output).absolute()
    shutil.rmtree(output / PARTS, ignore_errors=True)
    rows = output / "input.jsonl"
    try:
        items = ItemsThen()
        told = told_of(shipped.release.rules, profiles.file, items)
        count, receipts = prepare(Path(settings.files.events), rows, told)
    except NotJsonLinesError as error:
        raise StartError(f"files.events: {settings.files.events} is {error}") from None
    say(f"{count:,} lines of {settings.files.events}, sorted by event time")
    places = rows.as_uri(), (output / PARTS).as_uri()
    return Run(release, open_source, *places, count, receipts, partial(_known, items), open_coupons)


def told_of(rules: RuleSet, profiles: str | None, items: ItemsThen) -> Told:
    """What Kairos itself tells in the time of the events, as `kairos simulate` has it: changes in catalogs, slots of
    everyone known. `items` gets what each item was."""

    def told(events: Sequence[Event]) -> Sequence[Event]:
        people = read_profiles(Path(profiles), lambda _problem: None) if profiles else None
        changed = play_catalogs(rules.catalogs, events, items, Counter())
        return with_slots(rules, changed, people, None, None)[len(events) :]

    return told


def _known(items: ItemsThen, _count: Callable[[str], None]) -> ItemsThen:
    return items


def wait(client: JobClient, settings: Settings, port: int, progress: Progress | None) -> int:
    """Until the job ends by itself, or a signal asks for it: then with a savepoint, where there is a place for one.
    `port`: of Flink's REST interface."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    job_id = str(client.get_job_id())
    result = client.get_job_execution_result()
    while not result.done() and not stop.wait(POLL_SECONDS):
        if progress is not None:
            progress.show(job_id)
    try:
        if not result.done() and not stop_job(client, settings, lambda: result.done() or at_work(port, job_id)):
            return 1
        result.result()
    except Exception as error:  # a Java exception of whatever kind: the job is over
        say(f"the job failed: {first_cause(str(error), type(error).__name__)}; details are in {settings.job.log_dir}")
        return 1
    return 0


def stop_job(client: JobClient, settings: Settings, ready: Callable[[], bool]) -> bool:
    """Nothing is lost or repeated when the job is resumed from where this leaves it. False: there is no savepoint.

    `ready`: whether one can be taken; it is waited for, because a job that begins, or restarts, cannot yet.
    """
    if not settings.state.savepoints:
        client.cancel().result()
        return True
    say("stopping with a savepoint ...")
    limit = time.monotonic() + AT_WORK_SECONDS
    while not ready() and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
    try:
        path = stop_with_savepoint(client, uri(settings.state.savepoints))
    except Exception as error:  # a Java exception of whatever kind
        why = first_cause(str(error), type(error).__name__)
        say(f"no savepoint: {why}; the job is cancelled, `--from latest` resumes its last checkpoint")
        client.cancel().result()
        return False
    say(f"savepoint: {path}")
    return True
