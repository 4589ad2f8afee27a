"""Whoever waits for what takes long does not keep the others from their pages."""

from __future__ import annotations

import threading
from pathlib import Path

import anyio
import httpx
import pytest

from kairos.apps.api.endpoint import Call
from kairos.apps.console import console, process
from kairos.apps.console.screen import ConsoleParts, Screen, Values
from tests.unit.console.conftest import HERE
from tests.unit.console.world import NOW, shop

MANY = 60
"""More than there are threads for requests in all."""


def test_many_who_wait_leave_the_others_their_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    over, begun = threading.Event(), threading.Event()

    def does(_parts: ConsoleParts, call: Call) -> Values:
        if call.query["all"]:
            begun.set()
            assert over.wait(60)
        return {"problem": call.query["all"], "status": 200}

    monkeypatch.setattr(console, "SCREENS", (Screen("/asked", "failed", does, ("all",), slow=("all",)),))
    app = process.console_of(shop(tmp_path), lambda: NOW)

    async def together() -> list[int]:
        said: list[int] = []
        transport = httpx.ASGITransport(app, client=HERE)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8090") as client,
            anyio.create_task_group() as waiting,
        ):

            async def ask() -> None:
                said.append((await client.get("/asked?all=yes")).status_code)

            for _ in range(MANY):
                waiting.start_soon(ask)
            await anyio.to_thread.run_sync(begun.wait, limiter=anyio.CapacityLimiter(1))
            try:
                with anyio.fail_after(20):
                    assert (await client.get("/asked")).status_code == 200
                assert said == []
            finally:
                over.set()
        return said

    assert anyio.run(together) == [200] * MANY


def test_more_pages_than_are_made_at_one_time_are_all_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full, lock, inside = threading.Event(), threading.Lock(), [0]

    def does(_parts: ConsoleParts, _call: Call) -> Values:
        with lock:
            inside[0] += 1
            assert inside[0] <= console.PAGES_AT_ONCE
            if inside[0] == console.PAGES_AT_ONCE:
                full.set()
        assert full.wait(60)
        with lock:
            inside[0] -= 1
        return {"problem": "", "status": 200}

    monkeypatch.setattr(console, "SCREENS", (Screen("/asked", "failed", does),))
    app = process.console_of(shop(tmp_path), lambda: NOW)

    async def together() -> list[int]:
        said: list[int] = []
        transport = httpx.ASGITransport(app, client=HERE)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8090") as client:

            async def ask() -> None:
                said.append((await client.get("/asked")).status_code)

            async with anyio.create_task_group() as asking:
                for _ in range(MANY):
                    asking.start_soon(ask)
        return said

    assert anyio.run(together) == [200] * MANY
