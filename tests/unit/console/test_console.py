"""The console: what its screens show, that nothing of it is hostile, and who may do what."""

from __future__ import annotations

import html
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.applications import Starlette

from kairos.apps.api.endpoint import Call
from kairos.apps.console import console, process
from kairos.apps.console.screen import ConsoleParts, Screen, Values
from kairos.apps.console.table import SCREENS
from kairos.apps.console.texts import LANGUAGES
from kairos.usecases.control.verify import verify
from tests.unit.api.conftest import PASSWORD, URL
from tests.unit.console.conftest import HERE, Reader
from tests.unit.console.world import HOSTILE, HOSTILE_USER, NOW, shop
from tests.unit.control.desk import Desk
from tests.unit.deploy.kit import check_words

Enter = Callable[[str], Reader]
PATHS = [
    "/",
    "/?effects=yes",
    "/activities/cart_left?numbers=yes",
    "/calendar",
    "/calendar?asked=yes&hour=1794139200000&channel=console",
    "/crowds",
    "/crowds/buyers",
    "/new-crowd",
    "/new-crowd?name=fans&of0=purchase&counted=yes",
    "/lists/black",
    "/measure",
    "/measure?asked=yes",
    "/measure?asked=yes&name=lift/cart_left&by=week",
    "/people",
    "/people?find=u3",
    "/people/u3",
    "/write?file=activities/all/cart_left.yaml",
    "/write/tried?activity=cart_left",
    "/reviews",
    "/health",
    "/channels",
    "/channels/console",
    "/sources",
    "/plans",
    "/plans/unpaid",
    "/broadcast",
    "/broadcast?step=what",
    "/broadcast?step=check",
]


# ------------------------------------------------------------------------------------------------------------- frame
@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_whole_in_each_language_and_nothing_in_it_needs_more_than_its_policy_allows(
    path: str, local: Reader
) -> None:
    for language in LANGUAGES:
        said = local.get(path, headers={"Accept-Language": language})
        assert said.status_code == 200, said.text
        assert f'<html lang="{language}">' in said.text
        assert "default-src 'self'" in said.headers["Content-Security-Policy"]
        assert re.findall(r"<script(?! src=\"/assets/)|<style|<[^>]*\s(?:style|on\w+)=", said.text) == []
        assert "mistake of ours" not in said.text


@pytest.mark.parametrize("path", PATHS)
def test_a_command_that_a_page_shows_can_be_called_and_looks_where_the_page_does(path: str, local: Reader) -> None:
    text = local.get(path).text
    shown = [html.unescape(each) for each in re.findall(r"<code>(kairos [^<]*)</code>", text)]
    for command in (one for each in shown for one in each.split(" && ")):
        words = shlex.split(command)[1:]
        has = check_words(words)
        assert ("--conf" in words) == ("conf" in has), command
        if "conf" in has:
            assert Path(words[words.index("--conf") + 1]).name == "conf.yaml"
            assert "rules" not in has or any(Path(word).name == "rules" for word in words), command


def test_every_screen_of_the_menu_is_linked_from_every_page(local: Reader) -> None:
    text = local.get("/people").text
    for screen in SCREENS:
        assert (f'href="{screen.path}"' in text) == screen.menu


def test_a_language_once_chosen_stays(local: Reader) -> None:
    assert '<html lang="zh">' in local.get("/?lang=zh").text
    assert '<html lang="zh">' in local.get("/health").text


def test_a_page_that_is_not_there_and_a_path_of_the_api_each_say_so_in_their_own_way(local: Reader) -> None:
    assert (local.get("/nothing").status_code, "no such page" in local.get("/nothing").text) == (404, True)
    assert local.get("/api/v1/nothing").json()["code"] == "no_such_path"
    assert local.get("/activities/nothing").status_code == 404
    assert local.get("/assets/..%2fconsole.py").status_code == 404


# ----------------------------------------------------------------------------------------------------------- screens
def test_activities_say_how_they_stand_and_a_filter_is_in_the_url(local: Reader) -> None:
    both, paused = local.get("/").text, local.get("/?state=paused").text
    assert "cart_left" in both
    assert "welcome_back" in both
    assert "Welcome back" in paused
    assert "/activities/cart_left" not in paused
    assert "No activity is like that" in local.get("/?state=paused&theme=all").text


def test_what_an_activity_brings_is_an_interval_once_it_was_worked_out(local: Reader) -> None:
    assert "hx-get=" in local.get("/").text.split("<table")[0].split("later")[1]
    told = local.get("/?effects=yes").text
    assert 'class="label ' in told
    assert "later" not in told
    assert "later" not in local.get("/").text  # it is known now


def test_an_activity_shows_its_funnel_its_effect_and_its_history(local: Reader) -> None:
    text = local.get("/activities/cart_left?numbers=yes").text
    assert "reach/cart_left" in text
    assert "lift/cart_left" in text
    assert "entered" in text
    assert "published" in text


def test_a_person_has_one_timeline_and_the_engine_says_why(local: Reader) -> None:
    text = local.get("/people/u1").text
    assert "<strong>cart</strong>" in text
    assert "the trigger is complete" in text
    assert "***23" in text
    assert "+447700900123" not in text
    assert "nothing began: no visit came" in local.get("/people/u1?activity=welcome_back").text
    assert local.get("/people/nobody").status_code == 404


def test_hostile_titles_and_user_ids_are_text(local: Reader) -> None:
    for path in (
        *PATHS,
        f"/people/{HOSTILE_USER}",
        f"/people?find={HOSTILE_USER}",
        "/?owner=<script>alert(1)</script>",
    ):
        text = local.get(path).text
        assert HOSTILE not in text
        assert HOSTILE_USER not in text
        assert "<img" not in text
    assert "&lt;script&gt;" in local.get("/").text
    assert "&lt;img src=x" in local.get(f"/people/{HOSTILE_USER}").text


@pytest.mark.parametrize(
    ("section", "words"), [("files: [x]", "files: Expected"), ("alarms: {sate: x}", "did you mean 'state'?")]
)
def test_a_key_of_the_configuration_that_is_wrong_is_named(
    section: str, words: str, local: Reader, tmp_path: Path
) -> None:
    conf = tmp_path / "conf.yaml"
    conf.write_text(re.sub(r"files:.*\n", "", conf.read_text()) + section + "\n")
    text = local.get("/health").text
    assert words in html.unescape(text)
    assert "Channels" in text


# ------------------------------------------------------------------------------------------------------------ buttons
def test_an_activity_is_paused_with_a_reason_and_goes_on(local: Reader) -> None:
    said = local.press("/switch", state="paused", activity="cart_left", reason=HOSTILE)
    assert (said.status_code, said.headers["Location"]) == (303, "/activities/cart_left")
    text = local.get("/activities/cart_left").text
    assert 'class="state paused"' in text
    assert HOSTILE not in text
    local.press("/switch", state="live", activity="cart_left")
    assert 'class="state live"' in local.get("/activities/cart_left").text


def test_everything_is_paused_by_one_button(local: Reader) -> None:
    assert local.press("/switch", state="paused", all="yes").headers["Location"] == "/health"
    assert 'class="state live"' not in local.get("/").text


def test_a_channel_is_paused_and_goes_on(local: Reader) -> None:
    local.press("/channels/console/switch", state="paused", reason="the provider is away", **{"from": "health"})
    assert "the provider is away" in local.get("/health").text
    local.press("/channels/console/switch", state="live")
    assert "the provider is away" not in local.get("/health").text
    assert local.press("/channels/nothing/switch", state="paused").status_code == 422


@pytest.mark.parametrize(
    "form", [{}, {"state": "paused"}, {"state": "deleted", "all": "yes"}, {"activity": "cart_left"}]
)
def test_half_a_form_does_nothing(form: dict[str, str], local: Reader) -> None:
    assert local.press("/switch", **form).status_code == 422
    assert 'class="state live"' in local.get("/").text


# ------------------------------------------------------------------------------------------------------------- rights
def test_a_screen_that_a_form_asks_for_is_told_its_fields_and_to_its_own_pages_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def does(_parts: ConsoleParts, call: Call) -> Values:
        return {"problem": call.body["said"], "status": 200}

    monkeypatch.setattr(console, "SCREENS", (*SCREENS, Screen("/asked", "failed", does, posted=True)))
    app = process.console_of(shop(tmp_path), lambda: NOW)
    reader = Reader(app, base_url="http://127.0.0.1:8090", client=HERE, raise_server_exceptions=False)
    assert "what was typed" in reader.press("/asked", said="what was typed").text
    assert reader.press("/asked", "guessed", said="x").status_code == 403
    assert reader.get("/asked").status_code == 405


def test_without_the_word_of_its_own_pages_nothing_is_changed(local: Reader) -> None:
    for csrf in ("", "guessed"):
        assert local.press("/switch", csrf=csrf, state="paused", all="yes").status_code == 403
    form = {"csrf": local.csrf(), "state": "paused", "all": "yes"}
    assert local.post("/switch", data=form, headers={"Origin": "https://evil.example"}).status_code == 403
    assert local.post("/switch", json=form).status_code == 415
    assert local.get("/switch?state=paused&all=yes").status_code == 405
    assert 'class="state live"' in local.get("/").text


def test_without_users_only_whoever_is_at_this_machine_sees_anything(local: Reader) -> None:
    assert local.get("/", headers={"Host": "evil.example"}).status_code == 403  # a name that leads here
    assert local.get("/", headers={"Host": "localhost:8090"}).status_code == 200
    elsewhere = Reader(local.app, base_url="http://127.0.0.1:8090", client=("192.0.2.7", 1))
    assert elsewhere.get("/").status_code == 403


def test_with_users_nobody_sees_anything_before_signing_in(app: Starlette) -> None:
    stranger = Reader(app, base_url="http://127.0.0.1", client=HERE)
    said = stranger.get("/activities/nudge?numbers=yes", follow_redirects=False)
    assert (said.status_code, said.headers["Location"]) == (303, "/sign-in?next=/activities/nudge%3Fnumbers%3Dyes")


@pytest.mark.parametrize(
    ("next_", "led"), [("/health", "/health"), ("https://evil.example", "/"), ("//evil.example", "/"), ("/\\evil", "/")]
)
def test_after_signing_in_one_is_led_to_a_page_of_the_console(next_: str, led: str, app: Starlette) -> None:
    form = {"name": "vic", "password": PASSWORD, "next": next_}
    said = Reader(app, base_url=URL).post("/sign-in", data=form, follow_redirects=False)
    assert (said.status_code, said.headers["Location"]) == (303, led)


def test_a_wrong_password_is_told_on_the_page_and_guessing_is_slowed_down(app: Starlette) -> None:
    reader = Reader(app, base_url=URL)
    said = [reader.post("/sign-in", data={"name": "vic", "password": "no"}).text for _ in range(6)]
    assert "the name or the password is wrong" in said[0]
    assert "too many attempts" in said[-1]


def test_signing_out_ends_the_session(signed_in: Enter) -> None:
    vic = signed_in("vic")
    cookie = dict(vic.cookies)
    assert vic.press("/sign-out", csrf="guessed").status_code == 403
    assert vic.press("/sign-out", csrf=vic.csrf("/")).headers["Location"] == "/sign-in"
    vic.cookies.update(cookie)
    assert vic.get("/", follow_redirects=False).status_code == 303


def test_whoever_has_not_the_right_sees_no_button_and_cannot_press_it(desk: Desk, signed_in: Enter) -> None:
    vic, otto = signed_in("vic"), signed_in("otto")
    assert 'action="/switch"' not in vic.get("/activities/nudge").text
    assert vic.press("/switch", csrf=vic.csrf("/"), state="paused", activity="nudge").status_code == 403
    assert vic.press("/channels/console/switch", csrf=vic.csrf("/"), state="paused").status_code == 403
    assert 'action="/switch"' in otto.get("/activities/nudge").text
    assert otto.press("/switch", csrf=vic.csrf("/"), state="paused", activity="nudge").status_code == 403
    assert otto.press("/switch", state="paused", activity="nudge", reason="wrong").status_code == 303
    assert "otto" in vic.get("/activities/nudge").text
    assert verify(desk.store).problems == []


def test_addresses_whole_are_a_right_of_their_own(signed_in: Enter) -> None:
    assert "+447700900123" not in signed_in("vic").get("/people/u1").text
    assert signed_in("vic").get("/people/u1?whole=true").status_code == 403
    assert "+447700900123" in signed_in("root").get("/people/u1?whole=true").text


def test_without_a_warehouse_the_pages_say_what_is_missing(signed_in: Enter) -> None:
    vic = signed_in("vic")
    assert "warehouse.folder" in vic.get("/").text
    assert "warehouse.folder" in vic.get("/health").text
    assert "The warehouse has no events" in vic.get("/people/u1").text
