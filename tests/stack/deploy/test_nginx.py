"""A real nginx before two gateways: one of them dies, and nobody outside notices."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from harness.world import Running
from kairos.apps.native.ports import free_ports
from kairos.apps.native.programs import program
from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema
from tests.access.gateway.gateway_process import PATIENCE_SECONDS, eventually, running
from tests.access.gateway.traffic import Traffic, check_nothing_acknowledged_is_missing
from tests.browser.people import PASSWORD, add_people
from tests.unit.console.world import drafts
from tests.unit.control.desk import desk_in

SHIPPED = Path(__file__).parents[3] / "deploy" / "nginx"
AS_ROOT = "user root; " if os.geteuid() == 0 else ""
"""The folders of tests are those of one user."""

pytestmark = [pytest.mark.stack, pytest.mark.slow]


class Nginx:
    """As it is shipped, but for the three files that are everybody's own."""

    def __init__(self, folder: Path, gateways: Sequence[int], callbacks: int, console: int) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        shutil.copytree(SHIPPED, folder)
        for name in ("logs", "temp"):
            (folder / name).mkdir()
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost")
        certificate.private_key_and_cert_chain_pem.write_to_path(folder / "own.pem")
        (folder / "listen.conf").write_text(f"listen 127.0.0.1:{self.port} ssl http2;\n")
        pem = folder / "own.pem"
        (folder / "certificate.conf").write_text(f"ssl_certificate {pem};\nssl_certificate_key {pem};\n")
        upstreams = (folder / "upstreams.conf").read_text()
        for shipped, own in zip((8080, 8081, 18090, 8090), (*gateways, callbacks, console), strict=True):
            assert f"127.0.0.1:{shipped}" in upstreams
            upstreams = upstreams.replace(f"127.0.0.1:{shipped}", f"127.0.0.1:{own}")
        (folder / "upstreams.conf").write_text(upstreams)
        trusts = ssl.create_default_context()
        authority.configure_trust(trusts)
        self.client = httpx.Client(base_url=f"https://localhost:{self.port}", verify=trusts, timeout=PATIENCE_SECONDS)
        self._words = [program("nginx"), "-p", f"{folder}/", "-c", "nginx.conf", "-g", f"{AS_ROOT}daemon off;"]

    def __enter__(self) -> Nginx:
        subprocess.run([*self._words[:-2], "-t", *self._words[-2:]], check=True, capture_output=True)
        with (self.folder / "error.log").open("wb") as log:
            self._process = subprocess.Popen(self._words, stderr=log)
        eventually(lambda: self._process.poll() is None and self._answers())
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)

    def post(self, content: Any, key: str) -> httpx.Response:
        return self.client.post("/v1/events", json=content, headers={"x-api-key": key})

    def _answers(self) -> bool:
        try:
            return self.client.get("/").status_code == 404
        except httpx.TransportError:
            return False


@pytest.fixture
def closing() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_a_gateway_dies_under_load_and_no_client_sees_an_error(
    stack: Stack, tmp_path: Path, closing: ExitStack
) -> None:
    ports = free_ports(4)
    settings = [["--set", f"gateway.port={port}"] for port in ports[:2]]
    kafka = stack.settings.kafka
    first = closing.enter_context(running(tmp_path / "first", kafka, arguments=settings[0]))
    second = closing.enter_context(running(tmp_path / "second", kafka, arguments=settings[1], address=first.address))
    nginx = closing.enter_context(Nginx(tmp_path / "nginx", ports[:2], *ports[2:]))
    source = first.source({"view": EventSchema({})})
    eventually(lambda: second.post([], source).is_success)
    traffic = Traffic(nginx, source)
    try:
        for gateway in (first, second):
            traffic.until_more()
            gateway.kill()
            traffic.until_more()
            gateway.start()
        traffic.until_more()
        first.stop()
        traffic.until_more()
    finally:
        traffic.stop()
    assert traffic.refusals == 0
    check_nothing_acknowledged_is_missing(second, source, traffic)
    log = (tmp_path / "nginx" / "logs" / "access.log").read_text()
    assert all(f"127.0.0.1:{port}" in log for port in ports[:2])
    for path in ("/metrics", "/live", "/ready", "/", "/v2/events"):
        assert nginx.client.get(path).status_code == 404
    assert nginx.client.get("/callbacks/sms?token=secret").status_code == 502
    for name in ("logs/access.log", "error.log"):
        assert "secret" not in (tmp_path / "nginx" / name).read_text()


@contextmanager
def console(folder: Path, url: str, port: int) -> Iterator[None]:
    """A process over a rule store with users, reached at `url`."""
    desk = desk_in(folder)
    add_people(desk.control)
    settings = drafts(desk, folder, url)
    given = {"api.url": url, "api.port": port, "api.rules": settings.api.rules}
    words = [word for name, value in given.items() for word in ("--set", f"{name}={value}")]
    process = Running(folder / "console.log", ["kairos", "console", "--conf", settings.place, *words])
    try:
        process.until_said("open")
        yield
    finally:
        process.stop()


def test_the_console_stands_under_a_name_of_its_own_and_nothing_else_does(tmp_path: Path, closing: ExitStack) -> None:
    ports = free_ports(4)
    nginx = closing.enter_context(Nginx(tmp_path / "nginx", ports[:2], *ports[2:]))
    here = f"https://console.localhost:{nginx.port}"
    closing.enter_context(console(tmp_path, here, ports[3]))

    def ask(method: str, path: str, host: str = "console.localhost", **form: str) -> httpx.Response:
        headers = {"Host": f"{host}:{nginx.port}", "Origin": here}
        return nginx.client.request(method, path, data=form or None, headers=headers, follow_redirects=False)

    assert ask("GET", "/").headers["Location"] == "/sign-in?next=/"
    assert "Password" in ask("GET", "/sign-in").text
    assert ask("GET", "/assets/console.css").status_code == 200
    said = ask("POST", "/sign-in", name="ann", password=PASSWORD)
    assert (said.status_code, said.headers["Location"]) == (303, "/")
    assert said.headers["Set-Cookie"].startswith("__Host-kairos=")
    assert "max-age" in said.headers["Strict-Transport-Security"]
    nginx.client.headers["Cookie"] = said.headers["Set-Cookie"].partition(";")[0]
    assert "Sign out ann" in ask("GET", "/").text
    assert ask("GET", "/api/v1/session").json()["name"] == "ann"
    for path in ("/metrics", "/live", "/ready"):
        assert ask("GET", path).status_code == 404
    for path in ("/", "/sign-in", "/api/v1/session"):
        assert ask("GET", path, host="localhost").status_code == 404
    guessed = [ask("POST", "/sign-in", name="eve", password="guess") for _ in range(6)]
    assert "too many attempts" in guessed[-1].text
