"""Leaving by a link: signed for one person, harmless to look at, and done only when it is written."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from kairos.adapters.channels.options import ChannelSettingsError, Surroundings
from kairos.adapters.channels.secret import Secret
from kairos.adapters.channels.smtp import Options, Smtp
from kairos.adapters.delivery.unsubscribe_links import PATH, Leaving, LinkError, Links
from kairos.adapters.metrics.declared import UNSUBSCRIBES
from kairos.adapters.profiles.lists import FileLists, ListsAwayError
from kairos.apps.callbacks.receive import Callbacks
from kairos.engine.rule.content.rendering import ContentError, Renderer
from tests.channels.callback_office import Clock, Ledger, Topic
from tests.channels.channel_kit import message

OLD, NEW = Secret("an old secret of some length"), Secret("a new secret of some length")
URL = "https://shop.example/kairos"
ANNA = Leaving("anna", "email")


def token(link: str) -> str:
    return link.partition(PATH)[2]


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


@given(TEXTS, st.sampled_from(["email", "sms"]), st.none() | TEXTS)
def test_a_link_says_who_leaves_what(user: str, channel: str, topic: str | None) -> None:
    links = Links(URL, {"k1": NEW}, "x")
    leaving = Leaving(user, channel, topic)
    link = links.link(leaving)
    assert re.fullmatch(r"https://shop\.example/kairos/unsubscribe/[A-Za-z0-9._-]+", link)
    assert links.read(token(link)) == leaving


def test_keys_rotate() -> None:
    """The new one signs; mails that were sent before still count, until the old key is taken out."""
    before = token(Links(URL, {"k1": OLD}, "x").link(ANNA))
    both = Links(URL, {"k2": NEW, "k1": OLD}, "x")
    assert both.read(before) == ANNA
    assert token(both.link(ANNA)).startswith("k2.")
    with pytest.raises(LinkError):
        Links(URL, {"k2": NEW}, "x").read(before)


def test_nobody_leaves_in_another_s_name() -> None:
    links = Links(URL, {"k1": NEW, "k2": OLD}, "x")
    name, whom, signature = token(links.link(ANNA)).split(".")
    other = base64.urlsafe_b64encode(msgspec.json.encode(Leaving("bea", "email"))).decode().rstrip("=")
    forged = [
        f"{name}.{other}.{signature}",
        f"k2.{whom}.{signature}",
        f"{name}.{whom}.",
        f"{name}.{whom}.{signature[:-2]}",
        f"{name}.{whom}",
        "",
        ".",
        "k1..",
        "ü.ü.ü",
        f"{name}.{whom}.{'A' * 22}",
        "k1." + "A" * 10_000 + "." + signature,
    ]
    for each in forged:
        with pytest.raises(LinkError):
            links.read(each)


@pytest.mark.parametrize(
    ("keys", "said"),
    [({}, "at least one"), ({"a.b": NEW}, "'a.b' is no id"), ({"k": Secret("short")}, "at least 16 bytes")],
)
def test_keys_that_cannot_sign(keys: dict[str, Secret], said: str) -> None:
    with pytest.raises(ChannelSettingsError, match=said):
        Links(URL, keys, "x")


class Lists(FileLists):
    away = False

    def opted_out(self, user_id: str, channel: str) -> None:
        if self.away:
            raise ListsAwayError("nobody there")
        super().opted_out(user_id, channel)


class Page:
    """The server, with its lists in a file."""

    def __init__(self, port: int, file: Path) -> None:
        self.file, self.lists = file, Lists(file)
        self.links = Links(f"http://127.0.0.1:{port}", {"k1": NEW}, "x")
        self.callbacks = Callbacks({}, Ledger(), Topic(), self.lists, Clock(), self.links)

    def open(self, link: str, method: str) -> tuple[int, str]:
        data = b"List-Unsubscribe=One-Click" if method == "POST" else None
        try:
            with urllib.request.urlopen(urllib.request.Request(link, data, method=method), timeout=60) as answer:
                assert answer.headers["referrer-policy"] == "no-referrer"
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def kept(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()] if self.file.exists() else []


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    listener = socket.create_server(("127.0.0.1", 0))
    opened = Page(listener.getsockname()[1], tmp_path / "lists.jsonl")
    server = uvicorn.Server(uvicorn.Config(opened.callbacks.app(), log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    yield opened
    server.should_exit = True
    thread.join(60)
    opened.callbacks.close()
    listener.close()


def test_who_looks_at_it_has_not_left_and_who_clicks_has(page: Page) -> None:
    link = page.links.link(Leaving('<b>"anna"', "email"))
    for method in ("GET", "HEAD"):
        assert page.open(link, method)[0] == 200
    _, shown = page.open(link, "GET")
    assert '<form method="post">' in shown
    assert "anna" not in shown
    assert page.kept() == []
    assert page.open(link, "POST")[0] == 200
    assert page.open(link, "POST")[0] == 200  # twice is once
    assert {json.dumps(note) for note in page.kept()} == {json.dumps({"user_id": '<b>"anna"', "unsubscribed": "email"})}


def test_a_link_of_a_topic_leaves_the_topic_and_not_the_channel(page: Page) -> None:
    assert page.open(page.links.link(Leaving("anna", "email", "news")), "POST")[0] == 200
    [note] = page.kept()
    word = note["consents"]["news"]
    assert note == {"user_id": "anna", "consents": {"news": {"on": False, "at": word["at"], "by": "link"}}}


def test_done_is_said_only_when_it_is_written(page: Page) -> None:
    page.lists.away = True
    status, said = page.open(page.links.link(ANNA), "POST")
    assert status == 503
    assert "try again" in said
    assert page.kept() == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_nobody_signed(page: Page, method: str) -> None:
    assert page.open(page.links.link(ANNA)[:-3], method)[0] == 404
    assert page.kept() == []
    assert page.callbacks.metrics.totals(UNSUBSCRIBES, "outcome") == {"refused": 1}


@pytest.mark.parametrize("own", [None, URL + PATH + "k1." + "A" * 300 + ".B"])
def test_one_click_in_a_mail_only_where_the_link_says_whose_it_is(own: str | None) -> None:
    options = Options(
        host="127.0.0.1", sender="Shop <a@shop.example>", tls="none", unsubscribe="https://shop.example/u"
    )
    smtp = Smtp(options, Surroundings(1_000, lambda: 0, "x"))
    mail = message_from_bytes(smtp._composed(message(address="a@b.c", unsubscribe=own), "a@b.c"), policy=default)
    assert mail["list-unsubscribe"] == f"<{own or 'https://shop.example/u'}>"
    assert mail["list-unsubscribe-post"] == ("List-Unsubscribe=One-Click" if own else None)


def test_a_service_mail_has_no_header_by_which_one_leaves() -> None:
    options = Options(
        host="127.0.0.1", sender="Shop <a@shop.example>", tls="none", unsubscribe="https://shop.example/u"
    )
    smtp = Smtp(options, Surroundings(1_000, lambda: 0, "x"))
    for own in (None, URL + PATH + "k1.A.B"):
        written = smtp._composed(message(address="a@b.c", unsubscribe=own, service=True), "a@b.c")
        mail = message_from_bytes(written, policy=default)
        assert (mail["list-unsubscribe"], mail["list-unsubscribe-post"]) == (None, None)


def test_a_text_that_prints_the_link_gets_it_or_is_not_sent() -> None:
    renderer = Renderer({"t.email": "Hello {{ name }}. {{ unsubscribe_url }}", "t.sms": "Hello {{ name }}."})
    assert renderer.render("t", "email", {"name": "Anna"}, unsubscribe_url=URL).text == f"Hello Anna. {URL}"
    assert renderer.render("t", "sms", {"name": "Anna"}, unsubscribe_url=None).text == "Hello Anna."
    with pytest.raises(ContentError, match="no value for unsubscribe_url"):
        renderer.render("t", "email", {"name": "Anna"}, unsubscribe_url=None)
