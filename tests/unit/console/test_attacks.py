"""What OWASP's top ten means for the console, each tried on every screen and every deed that there is."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.applications import Starlette

from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.database import Control
from kairos.apps.console.process import console_of
from kairos.apps.console.screen import Deed, Screen
from kairos.apps.console.table import DEEDS, SCREENS
from kairos.usecases.control.rights import RIGHTS
from kairos.usecases.control.verify import verify
from tests.unit.api.conftest import PASSWORD, PEOPLE, URL
from tests.unit.console.conftest import HERE, Reader
from tests.unit.console.world import HOSTILE, HOSTILE_USER, WRITTEN, drafts
from tests.unit.control.desk import NUDGE, Desk

Enter = Callable[[str], Reader]
COOKIE = "__Host-kairos"


def path_of(each: Screen | Deed, name: str = "1") -> str:
    return re.sub(r"{\w+(:path)?}", name, each.path)


def is_posted(each: Screen | Deed) -> bool:
    return isinstance(each, Deed) or each.posted


def asked(reader: Reader, each: Screen | Deed, path: str, form: Mapping[str, str]) -> tuple[int, str]:
    """`form`: the query, where it is no form."""
    way = {"data": form} if is_posted(each) else {"params": form}
    said = reader.request("POST" if is_posted(each) else "GET", path, follow_redirects=False, **way)  # type: ignore[arg-type]
    return said.status_code, said.text


# ----------------------------------------------------------------------------- rights, also to what is of others (IDOR)
@pytest.mark.parametrize("role", sorted(RIGHTS))
def test_no_role_reaches_what_is_not_its_own(role: str, signed_in: Enter, desk: Desk) -> None:
    """Whatever is named, whether it is there or not: the right is asked first."""
    reader = signed_in(next(name for name, has in PEOPLE.items() if has.partition(":")[0] == role))
    form = {"csrf": reader.csrf("/")}
    for each in (*SCREENS, *DEEDS):
        status, text = asked(reader, each, path_of(each), form)
        if each.right not in RIGHTS[role]:
            assert (status, "it takes one of the roles" in text) == (403, True), each
    assert verify(desk.store).problems == []


def test_nobody_sees_or_does_anything_before_signing_in(app: Starlette) -> None:
    stranger = Reader(app, base_url=URL, client=HERE)
    for each in (*SCREENS, *DEEDS):
        for cookie in ("", "guessed"):
            stranger.cookies.set(COOKIE, cookie, domain="kairos.test")
            said = stranger.request("POST" if is_posted(each) else "GET", path_of(each), follow_redirects=False)
            if isinstance(each, Screen) and each.posted:  # asked for by a page that stays, with what is written in it
                assert (said.status_code, "nobody is signed in any more" in said.text) == (401, True), each
            else:
                assert (said.status_code, said.headers["Location"].partition("?")[0]) == (303, "/sign-in"), each


def test_what_somebody_else_was_shown_in_a_form_is_of_no_use(signed_in: Enter) -> None:
    otto, form = signed_in("otto"), {"csrf": signed_in("root").csrf("/")}
    for each in DEEDS:
        assert asked(otto, each, path_of(each), form)[0] == 403, each


# ----------------------------------------------------------------------------------------------------- session fixation
def test_a_cookie_that_was_planted_is_not_the_session(app: Starlette) -> None:
    victim, attacker = (Reader(app, base_url=URL, client=HERE) for _ in range(2))
    for reader in (victim, attacker):
        reader.cookies.set(COOKIE, "planted", domain="kairos.test")
    said = victim.post("/sign-in", data={"name": "otto", "password": PASSWORD}, follow_redirects=False)
    set_ = said.headers["Set-Cookie"]
    assert re.match(rf"{COOKIE}=[\w-]{{30,}};", set_)
    for word in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert word in set_
    assert attacker.get("/", follow_redirects=False).status_code == 303


def test_each_sign_in_is_a_session_and_a_form_of_its_own(app: Starlette) -> None:
    reader = Reader(app, base_url=URL, client=HERE)
    seen = set()
    for _ in range(2):
        reader.post("/sign-in", data={"name": "otto", "password": PASSWORD}, follow_redirects=False)
        seen.add((reader.cookies[COOKIE], reader.csrf("/")))
    assert len({cookie for cookie, _ in seen}) == len({csrf for _, csrf in seen}) == 2


# ------------------------------------------------------------------------------------------------------ mass assignment
@pytest.mark.parametrize("more", ["by", "actor", "name", "roles", "since", "now", "requested_by", "decided_by"])
def test_a_form_says_no_more_than_it_is_asked(more: str, signed_in: Enter, desk: Desk) -> None:
    form = {"state": "paused", "activity": "nudge", "reason": "mine", more: "root"}
    assert signed_in("otto").press("/switch", **form).status_code == 303
    standing = ActivityStates(Control(desk.store)).standing(desk.now)["nudge"]
    assert (standing.by, standing.since, standing.reason) == ("otto", desk.now, "mine")
    assert verify(desk.store).problems == []


# ------------------------------------------------------------------------------------------------- cross-site scripting
@pytest.mark.parametrize("hostile", [HOSTILE, HOSTILE_USER, "javascript:alert(1)"])
def test_no_screen_takes_what_it_is_told_for_more_than_text(hostile: str, local: Reader) -> None:
    """Each parameter of each screen and deed, and each name in a path."""
    form = dict.fromkeys(("state", "activity", "reason", "file", "text", "name", "comment", "rate", "limit"), hostile)
    form["csrf"] = local.csrf("/people")
    for each in (*SCREENS, *DEEDS):
        query = dict.fromkeys(each.query, hostile) if isinstance(each, Screen) else {}
        for name in ("cart_left", quote(hostile, safe="")):
            _, text = asked(local, each, path_of(each, name), form | query)
            assert HOSTILE not in text, each
            assert HOSTILE_USER not in text, each
            assert not re.search(r"(href|src|action|hx-\w+)=\"javascript:", text), each


@pytest.fixture
def written(desk: Desk, tmp_path: Path) -> tuple[Reader, Path]:
    """Of ann, who may write, and where she does."""
    settings = drafts(desk, tmp_path, URL)
    reader = Reader(console_of(settings, lambda: desk.now), base_url=URL, raise_server_exceptions=False)
    reader.post("/sign-in", data={"name": "ann", "password": PASSWORD}, follow_redirects=False)
    return reader, Path(settings.api.rules)


TEMPLATE = "templates/t.email.liquid"
HOSTILE_RULES = {
    WRITTEN: NUDGE.replace("Nudge", f"'{HOSTILE}'") + f"owner: '{HOSTILE}'\n",
    TEMPLATE: f"{HOSTILE} {{{{ user_id }}}}",
}


def test_what_an_author_writes_is_text_wherever_it_is_shown(written: tuple[Reader, Path]) -> None:
    """Titles and templates, also in the preview for a user whose id is hostile."""
    reader, folder = written
    for path, text in HOSTILE_RULES.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)
    pages = [f"/write?file={WRITTEN}", f"/write?file={TEMPLATE}", "/write/tried?activity=nudge&user=u1"]
    for path in [*pages, f"/write/tried?activity=nudge&user={HOSTILE_USER}", "/reviews"]:
        text = reader.get(path).text
        assert "mistake of ours" not in text
        assert HOSTILE not in text
        assert HOSTILE_USER not in text
    assert "&lt;script&gt;" in reader.get(pages[0]).text


# ----------------------------------------------------------------------------------------------------------------- SSRF
@pytest.fixture
def inside() -> Iterator[socket.socket]:
    """Something that only this machine can reach; who connects to it has been led there."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.setblocking(False)
        yield listener


def test_no_address_that_an_author_writes_is_asked(written: tuple[Reader, Path], inside: socket.socket) -> None:
    """In a webhook of a workflow that nobody has approved, in SQL, in a template, as a file, as where to go next."""
    reader, folder = written
    address = f"127.0.0.1:{inside.getsockname()[1]}"
    webhook = f"steps: {{ask: {{webhook: 'https://{address}/'}}}}\npaths: [{{then: [ask]}}]\n"
    sql = f"SELECT user_id FROM read_csv('http://{address}/x.csv')"
    template = f"Subject: x\n\n{{% render 'http://{address}/x' %}} <img src='http://{address}/x'>"
    submitted = {
        "": ({"workflow.yaml": webhook}, 303),
        "it looks beyond the warehouse": ({"crowds.yaml": "seen: {refresh: 1h, sql: seen.sql}\n",
                                           "crowds/seen.sql": sql}, 422),
        "it is looked up in templates/ only": ({TEMPLATE: template}, 422),
    }  # fmt: skip
    for problem, (files, status) in submitted.items():
        for path, text in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)
        csrf = reader.csrf("/")
        looked = [reader.press("/write/looked", csrf, file=path, text=text, digest="") for path, text in files.items()]
        assert [said.status_code for said in looked] == [200] * len(files)
        assert problem in looked[-1].text
        submission = reader.press("/write/submit", csrf)
        assert submission.status_code == status
        pages = ["/write/tried?activity=nudge&user=u1&compare=yes", "/reviews", "/reviews/nudge", "/crowds", "/",
                 "/activities/nudge?numbers=yes", "/people/u1", submission.headers.get("location", "/")]  # fmt: skip
        assert {page: reader.get(page).status_code for page in pages} == dict.fromkeys(pages, 200)
        assert reader.press("/crowds/seen/build", csrf).status_code == 404
        assert reader.press("/releases", csrf).status_code in (409, 422)
        for path in files:
            (folder / path).unlink()
    for path in (f"http://{address}/", f"//{address}/"):
        assert reader.get("/write", params={"file": path}).status_code in (404, 422)
        assert reader.get("/sign-in", params={"next": path}).status_code == 200
    with pytest.raises(BlockingIOError):
        inside.accept()
    with closing(socket.create_connection(inside.getsockname())):
        inside.accept()[0].close()  # whoever had come would have been noticed
