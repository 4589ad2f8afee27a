"""The console served on loopback, and a real Chromium that reads it; for tests, and for the pictures of docs."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from harness.job import now as clock
from kairos.adapters.settings.api import ApiSettings
from kairos.apps.console.process import console_of
from kairos.apps.native.ports import free_ports

AXE = Path(__file__).parent / "axe-4.10.3.min.js"
expect.set_options(timeout=30_000)
"""Milliseconds; Playwright's own five seconds are those of a machine that does nothing else."""
PHONE, DESK = {"width": 375, "height": 740}, {"width": 1280, "height": 800}


def free_url() -> str:
    (port,) = free_ports(1)
    return f"http://127.0.0.1:{port}"


@contextmanager
def served(settings: ApiSettings, now: int | None) -> Iterator[str]:
    """Its address, `settings.api.origin`. `now`: epoch ms, at which its clock stands; None: it goes."""
    port = int(settings.api.origin.rpartition(":")[2])
    app = console_of(settings, clock if now is None else lambda: now)
    server = uvicorn.Server(uvicorn.Config(app, port=port, lifespan="off", log_config=None))
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen()  # whoever comes before the server is ready waits
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield settings.api.origin
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def watched(browser: Browser, address: str) -> Iterator[Page]:
    """A page of a desk's size. Everything that goes wrong in it, as what its policy forbids, fails the test; it asks
    nobody else."""
    context = browser.new_context(base_url=address, viewport=DESK, locale="en")
    opened, wrong = context.new_page(), list[str]()
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("dialog", lambda dialog: wrong.append(dialog.message))
    opened.on("request", lambda sent: None if sent.url.startswith(address) else wrong.append(sent.url))
    yield opened
    assert wrong == []
    context.close()


COVERED = """[...document.querySelectorAll("label > :is(input, select, textarea) + small")]
.filter(said => said.getBoundingClientRect().top < said.previousElementSibling.getBoundingClientRect().bottom - 1)
.map(said => said.textContent)"""
"""What is said below a field and lies upon it."""


def unfit(page: Page, paths: Iterable[str]) -> list[tuple[str, str]]:
    """Path and what is wrong: what axe-core finds serious, what covers a field, and what is wider than a phone. `page`
    as it is coloured."""
    found = []
    for path in paths:
        page.set_viewport_size(DESK)
        whole(page, path)
        # By the debugger, which the policy of the page does not bind.
        page.evaluate(AXE.read_text())
        for one in page.evaluate("axe.run()")["violations"]:
            if one["impact"] in ("serious", "critical"):
                found += [(path, f"{one['id']}: {node['html'][:200]}") for node in one["nodes"][:3]]
        found += [(path, f"upon its field: {said}") for said in page.evaluate(COVERED)]
        page.set_viewport_size(PHONE)
        if page.evaluate("document.documentElement.scrollWidth") > PHONE["width"]:
            found.append((path, "wider than a phone"))
    return found


def whole(page: Page, path: str) -> None:
    """The page with what is worked out meanwhile."""
    page.goto(path)
    expect(page.locator("#main")).to_have_count(1)
    expect(page.locator("[aria-busy]")).to_have_count(0, timeout=30_000)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()
