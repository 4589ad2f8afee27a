"""The life of a change in a real Chromium: written with a mistake, mended, submitted, agreed to, published, paused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.people import add_people, sign_in
from tests.browser.screens import chromium, free_url, served, unfit, watched
from tests.unit.console.world import WRITTEN, drafts
from tests.unit.control.desk import NOW, NUDGE, desk_in

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def console(tmp_path: Path) -> Iterator[str]:
    desk = desk_in(tmp_path)
    add_people(desk.control)
    with served(drafts(desk, tmp_path, free_url()), NOW + 60_000) as address:
        yield address


def test_the_life_of_a_change(browser: Browser, console: str) -> None:
    with watched(browser, console) as ann, watched(browser, console) as eve, watched(browser, console) as otto:
        sign_in(ann, "ann")
        written_with_a_mistake_and_mended(ann)
        tried_and_submitted(ann)

        sign_in(eve, "eve", "/reviews")
        eve.get_by_role("link", name="nudge").click()
        expect(eve.get_by_role("main")).to_contain_text("priority: 50 -> 60")
        expect(eve.get_by_role("main")).to_contain_text("nudge: messages 10 -> 10, people 10 -> 10")
        eve.get_by_role("button", name="Approve").click()
        expect(eve.locator(".state.approved")).to_be_visible()

        ann.goto("/reviews")
        ann.get_by_role("button", name="Publish").click()
        expect(ann.get_by_role("status")).to_have_text("Release 2 is out.")

        sign_in(otto, "otto", "/activities/nudge")
        expect(otto.get_by_role("main")).to_contain_text("release 2")
        otto.get_by_label("Reason").fill("too many")
        otto.get_by_role("button", name="Pause").click()
        expect(otto.locator(".state.paused").first).to_be_visible()


def written_with_a_mistake_and_mended(ann: Page) -> None:
    ann.get_by_role("link", name=WRITTEN, exact=True).click()
    text, line = ann.get_by_label(WRITTEN), NUDGE.count("\n") + 1
    text.fill(NUDGE + "priorty: 60\n")
    finding = ann.locator(f"#findings [data-line='{line}']")
    expect(finding).to_contain_text("priorty")
    expect(ann.locator(".gutter .error")).to_have_text(f"{line}\n")
    finding.get_by_role("button").click()
    assert text.evaluate("box => box.value.slice(box.selectionStart, box.selectionEnd)") == "priorty: 60"
    ann.keyboard.type("priority: 60")
    expect(ann.locator("#findings [data-line]")).to_have_count(0)
    ann.get_by_role("button", name="Save").click()
    expect(ann.get_by_label(WRITTEN)).to_have_value(NUDGE + "priority: 60\n")


def tried_and_submitted(ann: Page) -> None:
    ann.get_by_role("link", name="Try it").click()
    ann.get_by_label("For this user").fill("u1")
    ann.get_by_role("button", name="Try it").click()
    main = ann.get_by_role("main")
    expect(main).to_contain_text("1 run, 0 failed")
    expect(main).to_contain_text("passes every gate")
    expect(main).to_contain_text("priority: 50 -> 60")
    expect(ann.locator("[aria-busy]")).to_have_count(0, timeout=30_000)
    ann.get_by_role("button", name="Submit", exact=True).click()
    ann.get_by_role("link", name="nudge").click()
    expect(ann.get_by_role("button", name="Approve")).to_have_count(0)


def test_what_is_written_stays_when_a_later_part_of_the_page_comes(browser: Browser, console: str) -> None:
    held: list[Route] = []
    with watched(browser, console) as page:
        sign_in(page, "ann", f"/write?file={WRITTEN}")
        page.get_by_label(WRITTEN).fill(NUDGE + "priority: 60\n")
        page.get_by_role("button", name="Save").click()
        page.route("**/write/tried*compare=yes*", lambda route: held.append(route))
        with page.expect_request("**/write/tried*compare=yes*"):
            page.goto("/write/tried?activity=nudge")
        page.get_by_label("For this user").fill("u1")
        held[0].continue_()
        expect(page.locator("[aria-busy]")).to_have_count(0)
        expect(page.get_by_role("main")).to_contain_text("What it would have done")
        expect(page.get_by_label("For this user")).to_have_value("u1")
        expect(page.get_by_label("For this user")).to_be_focused()


JOURNEY = """journey: welcome
title: Welcome
trigger: {event: signup}   # who signs up
steps:
  - {id: hello, send: [{channel: email, template: t}]}
  # time to look around
  - {wait: 1d}
"""
JOURNEY_FILE = "journeys/shop/welcome.yaml"


def test_words_are_completed_by_keyboard_and_the_form_writes_the_text(browser: Browser, console: str) -> None:
    with watched(browser, console) as page:
        sign_in(page, "ann", f"/write?file={JOURNEY_FILE}")
        text, picture = page.get_by_label(JOURNEY_FILE), page.locator("svg.journey")
        words = page.get_by_role("listbox", name="What could stand here")
        text.fill(JOURNEY)
        expect(picture).to_contain_text("wait 1d")
        text.focus()
        page.keyboard.press("Control+End")
        page.keyboard.type("limits:\n  quiet_h")
        expect(words.get_by_role("option", name="quiet_hours")).to_be_visible()
        page.keyboard.press("Enter")
        page.keyboard.press("Control+Space")
        expect(words.get_by_role("option", name="hold")).to_be_visible()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        expect(text).to_have_value(f"{JOURNEY}limits:\n  quiet_hours: drop")
        expect(page.get_by_label("quiet_hours", exact=True)).to_have_value("drop")

        page.get_by_label("wait", exact=True).fill("2d")
        page.keyboard.press("Tab")
        expect(picture).to_contain_text("wait 2d")
        page.locator("#add-steps-exit").press("Enter")
        expect(picture).to_contain_text("exit done")
        page.get_by_role("button", name="Move steps.1 up").press("Enter")
        moved = "  # time to look around\n  - {wait: 2d}\n  - {id: hello, send: [{channel: email, template: t}]}\n"
        start = JOURNEY.partition("  - ")[0]
        expect(text).to_have_value(f"{start}{moved}  - {{exit: done}}\nlimits:\n  quiet_hours: drop")
        page.get_by_role("button", name="Save").press("Enter")
        page.get_by_role("link", name="Try it").click()
        expect(page.get_by_role("main")).to_contain_text("welcome")


PRESS_WHEN_NEW = """button => new MutationObserver((_, observer) => {
  const now = document.getElementById(button.id);
  if (!now || now === button) return;
  observer.disconnect();
  now.click();
}).observe(document.body, {childList: true, subtree: true})"""


def test_what_has_just_come_can_be_pressed(browser: Browser, console: str) -> None:
    """The form comes anew with each change: whoever is quick presses a button that is a moment old."""
    with watched(browser, console) as page:
        sign_in(page, "ann", f"/write?file={JOURNEY_FILE}")
        picture = page.locator("svg.journey")
        page.get_by_label(JOURNEY_FILE).fill(JOURNEY)
        expect(picture).to_contain_text("wait 1d")
        page.locator("#add-steps-exit").evaluate(PRESS_WHEN_NEW)
        page.get_by_label("wait", exact=True).fill("2d")
        page.keyboard.press("Tab")
        expect(picture).to_contain_text("wait 2d")
        expect(picture).to_contain_text("exit done")


def test_what_is_chosen_stays_where_the_list_comes_again(browser: Browser, console: str) -> None:
    """It comes for what was typed and for what was asked, and the second may come after an arrow was pressed."""
    with watched(browser, console) as page:
        sign_in(page, "ann", f"/write?file={JOURNEY_FILE}")
        text, words = page.get_by_label(JOURNEY_FILE), page.get_by_role("listbox", name="What could stand here")
        text.fill(f"{JOURNEY}limits:\n  quiet_hours: ")
        text.focus()
        page.keyboard.press("Control+End")
        page.keyboard.press("Control+Space")
        expect(words.get_by_role("option", name="hold")).to_have_attribute("aria-selected", "true")
        page.keyboard.press("ArrowDown")
        words.evaluate("list => { list.dataset.first = 'yes'; }")
        page.keyboard.press("Control+Space")
        expect(page.locator("#completions:not([data-first])")).to_be_visible()
        expect(words.get_by_role("option", name="drop")).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
        expect(text).to_have_value(f"{JOURNEY}limits:\n  quiet_hours: drop")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_screens_are_for_everybody(scheme: str, browser: Browser, console: str) -> None:
    with watched(browser, console) as page:
        sign_in(page, "ann")
        page.emulate_media(color_scheme=scheme)
        paths = ["/write", f"/write?file={WRITTEN}", "/write/tried?activity=nudge&user=u1", "/reviews"]
        assert unfit(page, paths) == []
