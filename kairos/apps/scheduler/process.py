"""`kairos scheduler`: one process at a time, under a lease in SQL; a second one waits until the first is gone."""

from __future__ import annotations

import getpass
import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.database import Control
from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.database.errors import DatabaseAwayError
from kairos.adapters.database.schedule_runs import ScheduleRuns
from kairos.adapters.delivery.engine_lease import HeldError, Lease, Leases, ReplacedError
from kairos.adapters.kafka.client import client_options
from kairos.adapters.kafka.due import PARTITIONS, TOPIC, KafkaDue
from kairos.adapters.kafka.posts import KafkaAwayError
from kairos.adapters.kafka.receipts import KafkaReceipts
from kairos.adapters.kafka.rollouts import KafkaRollouts
from kairos.adapters.kafka.topics import KafkaUnreachableError, create_topics
from kairos.adapters.metrics.declared import ENDED, LEADING, SCHEDULER, STEPS, TOLD
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.profiles.everyone import PeopleAwayError, open_everyone
from kairos.adapters.rules.store import RuleStore, RuleStoreError, open_rule_store
from kairos.adapters.settings.delivery import Conf
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.adapters.warehouse.known import who_did_something
from kairos.apps.logs import Trouble
from kairos.apps.process import begin, on_stop
from kairos.apps.status.health import SLOW_SECONDS, Health
from kairos.apps.status.server import serving
from kairos.engine.event import Event
from kairos.engine.rule.release import Release
from kairos.usecases.scheduler.guarding import Guard
from kairos.usecases.scheduler.scheduler import Scheduler

LOOK_MS = 1_000
"""So often rules are looked at, and life is shown."""
AWAY = (PeopleAwayError, DatabaseAwayError, RuleStoreError, KafkaAwayError, KafkaUnreachableError)

log = logging.getLogger(__name__)


class Stopped(Exception):
    """The process was told to stop while it waited."""


class Process:
    """Raises what cannot be mended by waiting: SettingsError, DatabaseError, KafkaUnreachableError."""

    def __init__(self, conf: Conf) -> None:
        self._kafka = conf.need_kafka()
        self._engine = open_engine(conf.delivery.store)
        create_tables(self._engine)
        create_topics(client_options(self._kafka), [TOPIC], self._kafka.create_topics or PARTITIONS)
        self._leases = Leases(self._engine)
        people, others = conf.profiles, partial(who_did_something, conf.warehouse.folder)
        self._open_people = partial(open_everyone, people.redis, people.file, people.crowds, others)
        self._store = open_rule_store(conf.rules.store)
        self._rules = conf.rules.store
        self._stop = threading.Event()
        self.metrics, self.health = Metrics(SCHEDULER), Health(SLOW_SECONDS)
        self.health.works()

    def run(self) -> None:
        """Until `stop`: again and again from the lease on, should it be lost."""
        try:
            while not self._stop.is_set():
                lease = self._take()
                log.warning("at work, generation %d", lease.generation)
                self._under(lease)
        except Stopped:
            pass
        finally:
            self._engine.dispose()

    def stop(self) -> None:
        self._stop.set()

    def _take(self) -> Lease:
        """Waits for the lease. Raises Stopped."""
        holder = f"{getpass.getuser()} on {socket.gethostname()}, process {os.getpid()}"
        scope = _scope(self._kafka)
        waited = False
        while True:
            try:
                return self._leases.take(scope, holder, _now, self._sleep)
            except HeldError as error:
                self.health.stands_by(f"stands by: {error.holder or 'another'} is at work")
                if not waited:
                    log.warning("waits: %s", error)
                waited = True
            except DatabaseAwayError as error:
                log.warning("%s", error)
                self.health.waits(str(error))
            self._sleep(LOOK_MS)

    def _under(self, lease: Lease) -> None:
        lost = threading.Event()
        beside = [
            threading.Thread(target=self._renew, args=(lease, lost), name="lease", daemon=True),
            threading.Thread(target=self._guard, args=(lost,), name="guard", daemon=True),
        ]
        for thread in beside:
            thread.start()
        self.metrics.set(LEADING, 1)
        outlet = Counted(KafkaDue(self._kafka), self.metrics)
        receipts = KafkaReceipts(self._kafka)
        memory = ScheduleRuns(self._engine)
        switch = ActivityStates(Control(self._rules))
        scheduler = Scheduler(self._open_people(), memory, switch, outlet, _now, receipts, log.warning)
        try:
            self._work(scheduler, lost)
        finally:
            self.metrics.set(LEADING, 0)
            lost.set()
            for thread in beside:
                thread.join()
            outlet.close()
            receipts.close()
            self._release(lease)

    def _work(self, scheduler: Scheduler, lost: threading.Event) -> None:
        rules = Rules(open_rule_store(self._rules))
        while not (self._stop.is_set() or lost.is_set()):
            following: int | None = None
            try:
                rules.look(scheduler)
                following = scheduler.step()
                self.metrics.add(STEPS, outcome="done")
                self.health.works()
            except AWAY as error:
                log.warning("%s", error)
                self.metrics.add(STEPS, outcome="failed")
                self.health.waits(str(error))
            wait = LOOK_MS if following is None else min(max(0, following - _now()), LOOK_MS)
            self._stop.wait(wait / 1000)

    def _guard(self, lost: threading.Event) -> None:
        """Beside the work, which may take long where there are many people."""
        rules, heard = Rules(open_rule_store(self._rules)), KafkaRollouts(self._kafka)
        guard = Guard(heard, self._open_people(), ActivityStates(Control(self._rules)), _now, self._ended)
        while not (self._stop.is_set() or lost.is_set()):
            try:
                rules.look(guard)
                guard.step()
            except AWAY as error:
                log.warning("%s", error)
            except Exception:  # whatever ails it must not end the watch
                log.exception("rollouts could not be looked at")
            lost.wait(LOOK_MS / 1000)
        heard.restart()

    def _ended(self, text: str) -> None:
        """A rollout: an alert follows from the metric."""
        log.warning("%s", text)
        self.metrics.add(ENDED)

    def _renew(self, lease: Lease, lost: threading.Event) -> None:
        while not lost.wait(LOOK_MS / 1000):
            try:
                self._leases.renew(lease, _now())
            except ReplacedError as error:
                log.warning("%s", error)
                lost.set()
            except DatabaseAwayError as error:
                log.warning("the lease cannot be renewed: %s", error)

    def _release(self, lease: Lease) -> None:
        try:
            self._leases.release(lease)
        except DatabaseAwayError as error:
            log.warning("the lease cannot be given back: %s", error)

    def _sleep(self, ms: int) -> None:
        if self._stop.wait(ms / 1000):
            raise Stopped


class Adopts(Protocol):
    def adopt(self, release: Release) -> None: ...


class Counted:
    """The outlet, and how many events went through it."""

    def __init__(self, outlet: KafkaDue, metrics: Metrics) -> None:
        self._outlet, self._metrics = outlet, metrics

    def tell(self, events: Sequence[Event]) -> None:
        self._outlet.tell(events)
        self._metrics.add(TOLD, len(events))

    def close(self) -> None:
        self._outlet.close()


class Rules:
    """Looks at the rule store now and then; what is wrong there leaves the rules as they are."""

    def __init__(self, store: RuleStore) -> None:
        self._store, self._trouble = store, Trouble(log)
        self._number = 0
        self._next = 0

    def look(self, whom: Adopts) -> None:
        if _now() < self._next:
            return
        self._next = _now() + LOOK_MS
        try:
            release = self._store.latest(self._number)
        except RuleStoreError as error:
            self._trouble.comes(error)
            return
        self._trouble.goes()
        if release is not None:
            self._number = release.number
            whom.adopt(release)


def serve(conf: Conf, status: str | None = None) -> None:
    """Until SIGTERM or SIGINT. `status`: where it tells of itself."""
    begin(logging.WARNING, "scheduler")
    process = Process(conf)
    on_stop(process.stop)
    with serving(status, process.metrics, process.health):
        process.run()


def _scope(kafka: KafkaAddress) -> str:
    return f"schedules into topic '{TOPIC}' of {kafka.bootstrap}"


def _now() -> int:
    return time.time_ns() // 1_000_000
