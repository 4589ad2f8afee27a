"""Cases of kind `worker`: a worker with its ledger in memory, and an HTTP server that answers each user in turn."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from kairos.adapters.profiles.keys import PREFIX
from kairos.adapters.profiles.redis import profile_of
from kairos.adapters.rules.files import read_folder
from kairos.adapters.settings.delivery import Conf, Delivery
from kairos.engine.event import event_of
from kairos.engine.play.simulate import Simulation
from kairos.engine.rule.load import load
from tests.delivery.kit import BASE, ListMailbox, World, delivery, parcels

SPEED = 60
"""Minutes of the worker in one of ours; a call's own time-out is of our time."""
UNTIL_MS = 30 * 60_000


class Hasty:
    def __init__(self) -> None:
        self._began = asyncio.get_running_loop().time()

    def now(self) -> int:
        return BASE + round((asyncio.get_running_loop().time() - self._began) * 1000 * SPEED)

    async def sleep(self, ms: int) -> None:
        await asyncio.sleep(max(0, ms) / 1000 / SPEED)


class Server:
    """`replies`: by the last part of the URL's path, in turn; the last one is said again."""

    def __init__(self, replies: dict[str, list[dict[str, Any]]]) -> None:
        self._replies = replies
        self._calls: Counter[str] = Counter()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        user = request.path.rpartition("/")[2]
        known = self._replies.get(user) or [{"status": 200}]
        reply = known[min(self._calls[user], len(known) - 1)]
        self._calls[user] += 1
        if reply.get("no_answer"):
            await asyncio.sleep(3_600)
        return web.Response(status=reply["status"], text=reply.get("body", ""), headers=reply.get("headers"))


def play(case: dict[str, Any]) -> dict[str, Any]:
    if case.get("part") == "job":
        return _decide(case)
    return asyncio.run(_play(case))


def _decide(case: dict[str, Any]) -> dict[str, Any]:
    """The engine with profiles as Redis has them, in the folder of the case; remarks are what it counts."""
    loaded = load(read_folder(Path(case["rules"])))
    assert loaded.rules is not None, loaded.findings
    profiles = {
        key.removeprefix(PREFIX): profile_of({name.encode(): text.encode() for name, text in fields.items()})
        for key, fields in case["redis"].items()
    }
    simulation = Simulation(loaded.rules, {user: profile or {} for user, profile in profiles.items()})
    decided = [msgspec.to_builtins(record) for record in simulation.run([event_of(case["event"])])]
    nothing = {"states": {}, "receipts": [], "dead_addresses": [], "paused": []}
    return {**nothing, "remarks": sorted(simulation.engine.counters), "decisions": decided}


async def _play(case: dict[str, Any]) -> dict[str, Any]:
    runner = web.ServerRunner(web.Server(Server(case["server"]["replies"]).answer), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    place = f"http://127.0.0.1:{runner.addresses[0][1]}"
    world = await _deliver(case, place)
    await runner.cleanup()
    return {
        "states": world.states(),
        "receipts": world.receipts(),
        "dead_addresses": sorted({user for kind, user, _ in world.lists.kept if kind == "dead_address"}),
        "paused": world.pauses,
        "remarks": [],
        "decisions": [],
    }


async def _deliver(case: dict[str, Any], place: str) -> World:
    os.environ["FIELD_SECRET"] = "whsec_" + "A" * 32
    options = {"secret": {"env": "FIELD_SECRET"}, "allow": ["127.0.0.1"], **case["channel"]}
    if "url" in options:
        options["url"] = options["url"].replace("@SERVER@", place)
    conf = Conf(Delivery("sqlite://", {"hook": options}), place="field")
    settings = conf.channel("hook")
    world = World()
    world.provider, world.policy = conf.provider("hook"), settings.policy("webhook")  # type: ignore[assignment]
    world.agree, world.clock = settings.agree, Hasty()  # type: ignore[assignment]
    batches = []
    for number, given in enumerate(case["messages"]):
        address = given.get("address") and given["address"].replace("@SERVER@", place)
        note = delivery(given["user"], occurrence=f"o{number}", address=address)
        batches.append((round(1000 * given.get("at_s", 0) / SPEED), parcels([note], number)))
    worker = world.worker(ListMailbox(batches))
    running = asyncio.create_task(worker.run())
    while not running.done() and not world.pauses and world.clock.now() < BASE + UNTIL_MS:
        await asyncio.sleep(0.05)
    if world.pauses:
        await asyncio.wait([running], timeout=1)  # what was under way
    await worker.abandon()
    running.cancel()
    await world.provider.close()
    return world
