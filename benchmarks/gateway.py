"""Events a second that the gateway takes: `python -m benchmarks.gateway [--seconds N] [--quick | --write]`.

One gateway process over real Kafka and Redis, all on this machine, and a client process that sends the next request on
each of its connections as soon as the one before is answered. An event counts when it is acknowledged, and at the end
Kafka must have as many as were.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec

from benchmarks.kit.broker import stack
from benchmarks.kit.command import arguments, report
from benchmarks.kit.gateway_run import GatewayRun
from benchmarks.kit.page import grid, machine
from kairos.adapters.sources.port import key_hash
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.engine.rule.model import EventSchema, Source

CONNECTIONS = 8
BODIES = 200
"""Different ones, made beforehand: what the client costs is not the question."""
WARM_SECONDS = 2.0
DEVICES = 997
EVENTS = {"order_created": EventSchema({"order_id": "string", "amount": "number"}, ("order_id",))}


class Case(NamedTuple):
    name: str
    path: str
    batch: int
    body: Callable[[int], Any]
    identity: Any = "user_id"


class Result(NamedTuple):
    """`latencies`: seconds of each request. `processor`: seconds of the gateway's. `memory`: bytes."""

    case: Case
    seconds: float
    latencies: list[float]
    processor: float
    memory: int


def envelope(number: int, **who: str) -> dict[str, Any]:
    props = {"order_id": f"o{number}", "amount": number % 300, "city": "Shenzhen", "channel": "app", **who}
    user = {} if who else {"user_id": f"u{number % 997}"}
    return {"id": f"e{number}", "type": "order_created", "time": time.time_ns() // 1_000_000, "props": props, **user}


def envelopes(count: int) -> Callable[[int], Any]:
    return lambda first: [envelope(first + n) for n in range(count)]


def devices(first: int) -> list[dict[str, Any]]:
    return [envelope(first + n, device_id=f"d{(first + n) % DEVICES}") for n in range(50)]


def bindings() -> list[dict[str, Any]]:
    return [{**envelope(n, device_id=f"d{n}"), "type": "identify", "user_id": f"u{n}"} for n in range(DEVICES)]


def segment(first: int) -> dict[str, Any]:
    calls = [
        {
            "type": "track",
            "messageId": f"m{first + n}",
            "userId": f"u{n}",
            "event": "Order Created",
            "properties": {"order_id": f"o{n}", "amount": n},
            "context": {"library": {"name": "analytics-python", "version": "2.3.4"}},
        }
        for n in range(50)
    ]
    return {"batch": calls}


CASES = (
    Case("envelopes, 50 in a request", "/v1/events", 50, envelopes(50)),
    Case("one envelope in a request", "/v1/events", 1, envelopes(1)),
    Case("Segment's calls, 50 in a request", "/v1/batch", 50, segment),
    Case("users looked up by device, 50 in a request", "/v1/events", 50, devices, {"device_id": "redis"}),
)


async def _send(url: str, key: str, bodies: list[bytes], until: float, latencies: list[float]) -> None:
    async with aiohttp.ClientSession(headers={"x-api-key": key, "content-type": "application/json"}) as session:
        turn = 0
        while (started := time.monotonic()) < until or not turn:
            async with session.post(url, data=bodies[turn % len(bodies)]) as answer:
                await answer.read()
                if answer.status != 200:
                    raise RuntimeError(f"{answer.status}: {await answer.text()}")
            latencies.append(time.monotonic() - started)
            turn += 1


def client(url: str, key: str, bodies: list[bytes], seconds: float) -> list[float]:
    """In a process of its own; the latency of each request."""
    latencies: list[float] = []

    async def run() -> None:
        until = time.monotonic() + seconds
        await asyncio.gather(*(_send(url, key, bodies[n:] + bodies[:n], until, latencies) for n in range(CONNECTIONS)))

    asyncio.run(run())
    return latencies


def sources(address: str) -> None:
    """One for each case; its name is its API key."""
    store = SqlSourceStore(address)
    for number, case in enumerate(CASES):
        store.put(Source(f"s{number}", EVENTS, identity=case.identity), "bench")
        store.add_key(f"s{number}", key_hash(f"s{number}"), "", "bench")
    store.close()


def measure(gateway: GatewayRun, number: int, case: Case, seconds: float) -> Result:
    """Raises RuntimeError unless Kafka has what was acknowledged (a binding is no record)."""
    key, url = f"s{number}", gateway.url + case.path
    bodies = [msgspec.json.encode(case.body(turn * case.batch)) for turn in range(BODIES)]
    with get_context("spawn").Pool(1) as pool:
        if case.identity != "user_id":
            client(url, key, [msgspec.json.encode(bindings())], 0.0)
        warm = pool.apply(client, (url, key, bodies, WARM_SECONDS))
        before, started = gateway.processor, time.monotonic()
        latencies = pool.apply(client, (url, key, bodies, seconds))
        taken = time.monotonic() - started
    result = Result(case, taken, latencies, gateway.processor - before, gateway.memory)
    acknowledged, there = (len(warm) + len(latencies)) * case.batch, gateway.count(key)
    if there != acknowledged:
        raise RuntimeError(f"{key}: {acknowledged:,} events were acknowledged, {there:,} are there")
    return result


def table(results: list[Result]) -> str:
    columns = ("what is sent", "events/s", "events/s of one core", "request: median", "99 %", "memory")
    head = f"{machine('Kafka, Redis and the client')}; {CONNECTIONS} connections:"
    return "\n".join([head, "", *grid(columns, map(_row, results))])


def _row(result: Result) -> tuple[str, ...]:
    case, seconds, latencies, processor, memory = result
    events = len(latencies) * case.batch
    times = (statistics.median(latencies), statistics.quantiles(latencies, n=100)[98])
    rates = (f"{events / seconds:,.0f}", f"{events / processor:,.0f}")
    return case.name, *rates, *(f"{time * 1000:.0f} ms" for time in times), f"{memory / 1e6:.0f} MB"


def main() -> None:
    given = arguments(__doc__, seconds=(10, 2))
    with tempfile.TemporaryDirectory() as name, stack(Path(name), "kafka", "redis") as servers:
        address = f"sqlite:///{name}/control.db"
        sources(address)
        with GatewayRun(Path(name), address, servers.settings, servers.settings.redis_url) as gateway:
            text = table([measure(gateway, number, case, given.seconds) for number, case in enumerate(CASES)])
    report("gateway", given, text)


if __name__ == "__main__":
    main()
