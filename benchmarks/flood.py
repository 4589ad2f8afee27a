"""What a flood of one source costs the others: `python -m benchmarks.flood [--seconds N] [--quick | --write]`.

One gateway process over real Kafka, all on this machine. Three sources send at a steady pace, whatever the answers
(open loop: latency counts from when a request was due). A fourth sends as one of them, then ten times as much, and so
on by turns, so that both are measured in the same run. The ratio is the median over pairs of turns: a stall of the
machine meets one of them. Of what was acknowledged, Kafka must have all at the end.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import aiohttp
import msgspec

from benchmarks.gateway import EVENTS, envelope
from benchmarks.kit.broker import stack
from benchmarks.kit.command import arguments, report
from benchmarks.kit.gateway_run import GatewayRun
from benchmarks.kit.page import grid, machine
from benchmarks.kit.results import Result as Goal
from benchmarks.kit.results import below
from kairos.adapters.sources.port import key_hash
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.engine.rule.model import Source

OTHERS = ("shop", "app", "web")
FLOOD = "partner"
BATCH = 20
PACE = 30
"""Requests a second of each source on an ordinary day."""
TIMES = 10
GOAL = 2.0
ROUNDS = 7
WARM_SECONDS = 5
CONNECTIONS = 64
BODIES = 50


class Sent(NamedTuple):
    """`latencies`: seconds, of what was acknowledged. `answers`: by status, 0: no answer."""

    latencies: list[float]
    answers: Counter[int]


class Case(NamedTuple):
    """`rate`: events a second that the source of the flood may send."""

    name: str
    rate: float | None


CASES = (Case("a rate for its source", PACE * BATCH * 1.5), Case("no rate: shed by load", None))


class Result(NamedTuple):
    """By turns: the others in calm, the others in the flood, and what became of the flood itself."""

    case: Case
    calm: list[Sent]
    flood: list[Sent]
    flooding: list[Sent]


def send(url: str, keys: tuple[str, ...], pace: float, seconds: float) -> Sent:
    """Each of the sources `pace` requests a second. In a process of its own."""
    latencies: list[float] = []
    answers: Counter[int] = Counter()
    bodies = [msgspec.json.encode([envelope(turn * BATCH + n) for n in range(BATCH)]) for turn in range(BODIES)]

    async def one(session: aiohttp.ClientSession, key: str, number: int, due: float) -> None:
        await asyncio.sleep(due - time.monotonic())
        try:
            async with session.post(url, data=bodies[number % BODIES], headers={"x-api-key": key}) as answer:
                await answer.read()
                status = answer.status
        except aiohttp.ClientError:
            status = 0
        answers[status] += 1
        if status == 200:
            latencies.append(time.monotonic() - due)

    async def run() -> None:
        connector = aiohttp.TCPConnector(limit=CONNECTIONS)
        headers = {"content-type": "application/json"}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session, asyncio.TaskGroup() as group:
            begin = time.monotonic() + 0.1
            for number in range(int(pace * seconds)):
                for place, key in enumerate(keys):
                    group.create_task(one(session, key, number, begin + (number + place / len(keys)) / pace))

    asyncio.run(run())
    return Sent(latencies, answers)


def together(parts: list[Sent]) -> Sent:
    answers = sum((part.answers for part in parts), Counter[int]())
    return Sent([latency for part in parts for latency in part.latencies], answers)


class Bench:
    """`acknowledged`: requests of the others, and of the flood."""

    def __init__(self, gateway: GatewayRun, store: SqlSourceStore) -> None:
        self._gateway, self._store = gateway, store
        self.acknowledged = [0, 0]

    def measure(self, case: Case, seconds: float) -> Result:
        self._store.set(FLOOD, {"rate": case.rate}, "bench", "bench")
        with ProcessPoolExecutor(2, get_context("spawn")) as pool:
            self._beside(pool, PACE, WARM_SECONDS)
            turns = [self._beside(pool, PACE * times, seconds) for _ in range(ROUNDS) for times in (1, TIMES)]
        calm, flood = turns[::2], turns[1::2]
        return Result(case, [others for others, _ in calm], *map(list, zip(*flood, strict=True)))

    def _beside(self, pool: ProcessPoolExecutor, pace: float, seconds: float) -> tuple[Sent, Sent]:
        url = f"{self._gateway.url}/v1/events"
        asked = [pool.submit(send, url, OTHERS, PACE, seconds), pool.submit(send, url, (FLOOD,), pace, seconds)]
        others, flood = (one.result() for one in asked)
        for place, sent in enumerate((others, flood)):
            self.acknowledged[place] += sent.answers[200]
        return others, flood

    def check(self) -> None:
        """Raises RuntimeError unless Kafka has all that was acknowledged."""
        for sources, requests in zip((OTHERS, (FLOOD,)), self.acknowledged, strict=True):
            there = self._gateway.count(*sources)
            if there < requests * BATCH:
                raise RuntimeError(f"{sources}: {requests * BATCH:,} events were acknowledged, {there:,} are there")


def quantile(sent: Sent, percent: int) -> float:
    """Milliseconds."""
    return statistics.quantiles(sent.latencies, n=100)[percent - 1] * 1000


def table(results: list[Result]) -> str:
    columns = (
        "what holds the flood", "the others: 99 %", "in the flood", "ratio", "median", "in the flood", "refused",
        "of the flood: taken", "429", "503",
    )  # fmt: skip
    pace = f"three sources of {PACE} requests of {BATCH} events a second each, and one of {TIMES} times as much"
    return "\n".join([f"{machine('Kafka and the clients')}; {pace}:", "", *grid(columns, map(_row, results))])


def ratio(result: Result) -> float:
    """Of the others' 99 % in the flood to that in the calm before it: the median over pairs of turns."""
    pairs = zip(result.calm, result.flood, strict=True)
    return statistics.median(quantile(flood, 99) / quantile(calm, 99) for calm, flood in pairs)


def _row(result: Result) -> tuple[str, ...]:
    calm, flood, flooding = (together(parts) for parts in result[1:])
    times = [quantile(sent, percent) for percent in (99, 50) for sent in (calm, flood)]
    shown = [f"{time:.0f} ms" for time in times]
    refused = calm.answers.total() + flood.answers.total() - calm.answers[200] - flood.answers[200]
    fate = (f"{flooding.answers[status] / flooding.answers.total():.0%}" for status in (200, 429, 503))
    return result.case.name, *shown[:2], f"{ratio(result):.2f}", *shown[2:], f"{refused:,}", *fate


def results(found: list[Result]) -> Iterator[Goal]:
    for result in found:
        yield below(
            f"a flood of {TIMES}x from one source, others' 99 % against calm, times: {result.case.name}",
            ratio(result),
            GOAL,
        )


def main() -> None:
    given = arguments(__doc__, seconds=(5, 2))
    with tempfile.TemporaryDirectory() as name, stack(Path(name), "kafka") as servers:
        address = f"sqlite:///{name}/control.db"
        store = SqlSourceStore(address)
        for source in (*OTHERS, FLOOD):
            store.put(Source(source, EVENTS), "bench")
            store.add_key(source, key_hash(source), "", "bench")
        with GatewayRun(Path(name), address, servers.settings) as gateway:
            bench = Bench(gateway, store)
            found = [bench.measure(case, given.seconds) for case in CASES]
            bench.check()
        store.close()
    report("flood", given, table(found), lambda: results(found))


if __name__ == "__main__":
    main()
