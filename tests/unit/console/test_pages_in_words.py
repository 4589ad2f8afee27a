"""Whole pages in Chinese, with what goes wrong on them: no English sentence stands beside code, names and quotes."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from httpx import Response
from starlette.applications import Starlette

from kairos.apps.console.process import console_of
from tests.unit.api.conftest import PASSWORD, URL
from tests.unit.console.conftest import Reader
from tests.unit.console.sentences import english_beside_names_in
from tests.unit.console.world import WRITTEN, drafts
from tests.unit.control.desk import Desk

CHINESE = {"Accept-Language": "zh"}
MISTAKES = """activity: nudge
state: live
owner:
trigger: {event: visit, where: levl > 3 && name = "x", within: soon}
priorty: 60
limits: {caps: [marketing], once: 7}
audience: {in: [nobody], control_group: 0.1}
send:
  - {channel: fax}
  - {channel: email, template: missing}
goal: {event: purchase}
goal: {event: bought, within: 1d}
"""
NAMES = frozenset({"Kairos", "Ctrl", "Esc", "admin", "ann", "author", "email", "nemo", "operator"})


@pytest.fixture
def enter(desk: Desk, tmp_path: object) -> Callable[[str], Reader]:
    app: Starlette = console_of(drafts(desk, tmp_path, URL), lambda: desk.now)  # type: ignore[arg-type]

    def enter(name: str) -> Reader:
        reader = Reader(app, base_url=URL, raise_server_exceptions=False, headers=CHINESE)
        assert reader.post("/sign-in", data={"name": name, "password": PASSWORD}, follow_redirects=False).is_redirect
        return reader

    return enter


def said_on(page: Response) -> str:
    """What a page says, without code, what is typed, and names that are chosen from."""
    left_out = r"<(code|pre|textarea|option|datalist|small|svg|style|script|header)\b.*?</\1>"
    text = re.sub(left_out, " ", page.text, flags=re.S)
    text = re.sub(r'<section class="form".*?</section>|<ul id="completions".*?</ul>', " ", text, flags=re.S)
    return "\n".join(html.unescape(line) for line in re.sub(r"<[^>]*>", "\n", text).splitlines() if line.strip())


def english_on(page: Response) -> list[str]:
    return [line for line in said_on(page).splitlines() if english_beside_names_in(line, NAMES)]


def test_a_text_with_many_mistakes_is_told_in_chinese(enter: Callable[[str], Reader]) -> None:
    author = enter("ann")
    csrf = author.csrf("/write?file=" + WRITTEN)
    page = author.post("/write/looked", data={"csrf": csrf, "file": WRITTEN, "text": MISTAKES})
    assert page.text.count("data-line") > 8
    assert english_on(page) == []
    whole = author.get("/write?file=" + WRITTEN)
    assert english_on(whole) == []


def test_what_is_refused_or_not_there_is_told_in_chinese(enter: Callable[[str], Reader]) -> None:
    author = enter("ann")
    refused = [
        author.get("/nowhere"),
        author.get("/activities/nothing"),
        author.press("/reviews/nudge", meaning="x", decision="approve", comment=""),
        author.press("/write/submit"),
        author.post("/write/submit", data={"csrf": "forged"}),
        author.press("/switch", all="yes", state="paused"),
        author.get("/measure?name=nothing&asked=yes"),
        author.get("/measure?as_of=yesterday"),
        author.get("/people/nemo"),
        author.get("/crowds/nothing"),
        author.get("/calendar?days=x"),
        author.get("/channels/nothing"),
        author.get("/sources/nothing"),
        author.get("/write?file=../x"),
        author.get("/write/tried?activity=nudge&user=nemo"),
        author.post("/sign-in", data={"name": "ann", "password": "wrong"}),
    ]
    for page in refused:
        assert 'class="problem"' in page.text, page.url
        assert english_on(page) == [], page.url
