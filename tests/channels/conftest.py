"""The stand-ins of the providers, opened once a session, in a thread of their own: tests talk to them over the wire."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from kairos.apps.demo.providers.house import house
from tests.channels.channel_kit import NOW, House


@pytest.fixture(scope="session")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    ready, stop = threading.Event(), asyncio.Event()
    found: list[Any] = []
    folder: Path = tmp_path_factory.mktemp("providers")

    async def live() -> None:
        async with house(folder, lambda: NOW) as (opened, world):
            found.extend([asyncio.get_running_loop(), House(opened, world)])
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=_run, args=(live(), ready), daemon=True)
    thread.start()
    assert ready.wait(60)
    assert found, "the stand-ins did not open"
    loop, opened = found
    yield opened
    loop.call_soon_threadsafe(stop.set)
    thread.join(60)
    assert not thread.is_alive()


def _run(main: Coroutine[Any, Any, None], ready: threading.Event) -> None:
    try:
        asyncio.run(main)
    finally:
        ready.set()
