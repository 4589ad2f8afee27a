"""Whose session is over while a page is open, and who mistypes: what they are told, and where they come out."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest

from kairos.usecases.control.activities import activities
from kairos.usecases.control.sign_in import SESSION_MS
from tests.unit.api.conftest import PASSWORD, URL
from tests.unit.console.conftest import Reader
from tests.unit.control.desk import Desk

Enter = Callable[[str], Reader]


def led_to(text: str) -> str:
    """Where the form of this page leads to."""
    found = re.search(r'name="next" value="([^"]*)"', text)
    assert found is not None
    return html.unescape(found[1])


@pytest.mark.parametrize(
    ("came", "led"),
    [
        (f"{URL}/activities/nudge?numbers=yes", "/activities/nudge?numbers=yes"),
        ("https://evil.example/activities", "/"),
        ("", "/"),
    ],
)
def test_whoever_is_signed_out_meanwhile_hears_that_nothing_was_done(
    came: str, led: str, signed_in: Enter, desk: Desk
) -> None:
    """And is led back to the page with the button, also after a password that was mistyped."""
    otto = signed_in("otto")
    form = {"csrf": otto.csrf("/"), "state": "paused", "all": "yes"}
    desk.now += SESSION_MS
    said = otto.post("/switch", data=form, headers={"Referer": came}, follow_redirects=False)
    assert said.status_code == 303
    page = otto.get(said.headers["Location"])
    assert "nobody is signed in any more, so nothing was done" in page.text
    assert {each.state for each in activities(desk.store, desk.now)} == {"live"}
    mistyped = {"name": "otto", "password": "mistyped", "next": led_to(page.text)}
    retried = otto.post("/sign-in", data=mistyped, follow_redirects=False)
    right = {"name": "otto", "password": PASSWORD, "next": led_to(retried.text)}
    assert otto.post("/sign-in", data=right, follow_redirects=False).headers["Location"] == led


def test_whoever_may_not_is_told_so_and_stays_who_she_is(signed_in: Enter) -> None:
    vic = signed_in("vic")
    refused = vic.press("/lists/black", csrf=vic.csrf("/"), users="u1", state="on")
    assert refused.status_code == 403
    assert "vic may not write: it takes one of the roles" in refused.text
    assert "Sign out vic" in refused.text
    assert "Sign out" not in Reader(vic.app, base_url=URL).post("/nowhere").text
