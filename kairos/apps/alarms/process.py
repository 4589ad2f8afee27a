"""`kairos alarms`: one process, which follows Kafka, the rule store, and the job's time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path

from kairos.adapters.alarms.flink import JobTime
from kairos.adapters.alarms.kafka import Reader
from kairos.adapters.alarms.letters import past_letters
from kairos.adapters.alarms.receiver import Receiver
from kairos.adapters.alarms.said import SaidFile
from kairos.adapters.coupons.opening import open_store
from kairos.adapters.kafka.topics import check_kafka
from kairos.adapters.metrics.declared import ALARMS, BEGUN, FIRING, LAST_MINUTE
from kairos.adapters.metrics.metrics import Metrics
from kairos.adapters.rules.store import RuleStore, RuleStoreError, last_good, open_rule_store
from kairos.adapters.settings.alarms import Conf, open_receivers
from kairos.adapters.settings.file import SettingsError
from kairos.apps.inputs.moments import now
from kairos.apps.logs import Trouble
from kairos.apps.process import begin, on_stop
from kairos.apps.status.health import Health
from kairos.apps.status.server import serving
from kairos.engine.alarm.baseline import WEEKS
from kairos.engine.alarm.fact import Fact
from kairos.engine.alarm.spec import Alarms, Change
from kairos.engine.alarm.watch import Watch
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release
from kairos.usecases.alarms.follow import Desk, Following, Releases, recall
from kairos.usecases.alarms.known import known_of
from kairos.usecases.alarms.replay import history
from kairos.usecases.alarms.stock import Stock

PAST = (2 * WEEKS + 1) * 7 * 86_400_000
"""How much of the past (ms) is read: baselines, and the longest silences of the weeks that have one."""

WAIT_SECONDS = 1.0

log = logging.getLogger(__name__)


def serve(
    conf: Conf, place: str, rules: RuleSet, alarms: Alarms, say: Callable[[Change], object], status: str | None = None
) -> None:
    """Until SIGTERM or SIGINT. `place`: the configuration, for messages. `status`: where it tells of itself.

    Raises SettingsError, KafkaUnreachableError, WarehouseError and SaidError.
    """
    begin(logging.WARNING, "alarms")
    check_kafka(conf.kafka.bootstrap)
    receivers = open_receivers(conf.alarms, now, place)
    named = {name for alarm in alarms.alarms for name in alarms.receivers_of(alarm)}
    if unknown := sorted(named - receivers.keys()):
        raise SettingsError(f"alarms.yaml sends to '{unknown[0]}', and {place} has no alarms.receivers.{unknown[0]}")
    store = open_rule_store(conf.rules.store)
    metrics, health = Metrics(ALARMS), Health()

    def tell(change: Change) -> None:
        say(change)
        metrics.add(BEGUN, 1 if change.firing else 0, alarm=change.alarm)

    def turned(following: Following, watch: Watch) -> None:
        firing = Counter(key.alarm for key in watch.firing)
        for alarm in alarms.alarms:
            metrics.set(FIRING, firing[alarm], alarm=alarm)
        metrics.set(LAST_MINUTE, following.judged / 1000)
        if following.judged:
            health.works()
        else:
            health.waits("it reads what has happened before")

    with serving(status, metrics, health):
        asyncio.run(_follow(conf, rules, alarms, receivers, store, tell, turned, health.waits))


async def _follow(
    conf: Conf,
    rules: RuleSet,
    alarms: Alarms,
    receivers: dict[str, Receiver],
    store: RuleStore,
    say: Callable[[Change], object],
    turned: Callable[[Following, Watch], object],
    waits: Callable[[str], object],
) -> None:
    """`turned` hears of each turn of the loop; `waits`, why it cannot begin yet."""
    stopped = threading.Event()
    on_stop(stopped.set)
    memory = SaidFile(Path(conf.alarms.state) if conf.alarms.state else None)
    async with AsyncExitStack() as stack:
        stack.enter_context(memory.held())
        for receiver in receivers.values():
            stack.push_async_callback(receiver.close)
        first = await _release(store, waits, stopped)
        if stopped.is_set():
            return
        rules, number = (first.rules, first.number) if first is not None else (rules, 0)
        start = now()
        watch = Watch(alarms, known_of(rules))
        since = recall(watch, _past(conf, start), past_letters(conf.kafka, start - PAST, start))
        reader = Reader(conf.kafka, since or start - PAST)
        stack.callback(reader.close)
        releases = Releases(watch, rules)
        watermark = JobTime(conf.alarms.flink) if conf.alarms.flink else lambda: None
        desk = Desk(alarms, receivers, memory)
        stock = open_stock(conf)
        stack.callback(stock.close)
        following = Following(
            watch, desk, reader, now, watermark, say, conf.alarms.lag, since,
            lambda at: stock.facts(sorted(releases.pools), at),
        )  # fmt: skip
        watch.expect(known_of(rules).refresh, (first.effective_at if first is not None else 0) or start)
        trouble = Trouble(log)
        while not stopped.is_set():
            try:
                release = store.latest(number)
                trouble.goes()
                if release is not None:
                    number = release.number
                    releases.adopt(release)
            except RuleStoreError as error:
                trouble.comes(error)
            await following.round()
            turned(following, watch)
            await asyncio.sleep(0)  # signals are heard


async def _release(store: RuleStore, waits: Callable[[str], object], stopped: threading.Event) -> Release | None:
    """The one in force; waits for a store that does not answer, until it is `stopped`."""
    trouble = Trouble(log)
    while not stopped.is_set():
        try:
            return last_good(store, heard=lambda error: log.warning("%s", error))
        except RuleStoreError as error:
            waits(str(error))
            trouble.comes(error)
            await asyncio.sleep(WAIT_SECONDS)
    return None


def open_stock(conf: Conf) -> Stock:
    """Raises CouponStoreError."""
    codes = conf.coupons.beside(conf.profiles.redis)
    return Stock(None if codes is None else open_store(codes.redis, codes.file))


def _past(conf: Conf, start: int) -> Iterable[Fact]:
    """What the warehouse knows; nothing, where there is none yet."""
    folder = conf.warehouse.folder
    if folder is None or not Path(folder).is_dir():
        log.warning("there is no warehouse: counts are judged when three weeks of them have been seen")
        return []
    return history(Path(folder), since=start - PAST)
