"""The console in a real Chromium: each screen's main path, by keyboard, on a phone, in the dark, and by axe-core."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from kairos.adapters.sources.port import key_hash
from kairos.adapters.sources.sql import SqlSourceStore
from kairos.engine.rule.model import EventSchema, Source
from tests.browser.screens import chromium, free_url, served, unfit, watched, whole
from tests.unit.console.world import HOSTILE_USER, NOW, shop

pytestmark = [pytest.mark.slow, pytest.mark.browser]
PATHS = [
    "/",
    "/activities/cart_left",
    "/people?find=u3",
    "/people/u1?activity=cart_left",
    "/health",
    "/sign-in",
    "/channels",
    "/channels/console",
    "/sources",
    "/sources/shop",
    "/calendar?asked=yes",
    "/crowds",
    "/crowds/buyers",
    "/crowds/vip",
    "/new-crowd?name=cart_fans&of0=cart&window0=30d&what1=profile&of1=level&counted=yes",
    "/measure",
    "/measure?name=lift/cart_left&by=week",
    "/measure?name=credit&as_of=2026-11-09T00:00",
    "/plans",
    "/plans/unpaid",
    "/broadcast",
    "/broadcast?step=what&name=spring",
    "/broadcast?step=check&name=spring&theme=sales&channel=console&text=Hello&at=2027-03-20T10:00",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("shop")
    settings = shop(folder, free_url())
    sources = SqlSourceStore(f"sqlite:///{folder}/sources.db")
    sources.put(Source("shop", {"cart": EventSchema({}, ())}), "ann")
    sources.add_key("shop", key_hash("a key"), "web server", "ann")
    sources.close()
    with served(settings, NOW) as address:
        yield address


@pytest.fixture
def page(browser: Browser, console: str) -> Iterator[Page]:
    with watched(browser, console) as opened:
        yield opened


def test_from_the_list_to_an_activity_that_is_paused(page: Page) -> None:
    whole(page, "/")
    expect(page.locator("td.wide svg.interval, td.wide .label")).not_to_have_count(0)
    page.get_by_label("State").select_option("paused")
    expect(page.locator("tbody tr")).to_have_count(1)
    assert page.url.endswith("state=paused")
    whole(page, "/")
    page.get_by_role("link", name="cart_left").or_(page.locator('a[href="/activities/cart_left"]')).first.click()
    expect(page.get_by_text("reach/cart_left")).to_be_visible(timeout=30_000)
    assert page.locator("svg.bar").count() > 2
    page.get_by_label("Reason").fill("too many")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("too many").first).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".state.live").first).to_be_visible()


def test_a_person_is_found_and_her_story_told(page: Page) -> None:
    page.goto("/people?find=u3")
    page.locator("main").get_by_role("link", name="u3", exact=True).click()
    expect(page.get_by_text("the trigger is complete").first).to_be_attached()
    page.get_by_label("Activity").select_option("welcome_back")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("no visit came")).to_be_visible()


def test_a_measure_is_chosen_and_leads_to_what_it_means_and_to_its_rows(page: Page) -> None:
    whole(page, "/measure")
    expect(page.locator("td.heat").first).to_contain_text("…")
    page.get_by_label("Told by").select_option("week")
    expect(page.locator("td", has_text="2026-11-02")).not_to_have_count(0, timeout=30_000)
    assert page.url.endswith("by=week&as_of=&from=&to=")
    page.get_by_role("link", name="day 1").click()
    expect(page.locator("#is-rate")).to_be_in_viewport()
    page.get_by_text("Rows: ").click()
    expect(page.get_by_role("columnheader", name="starters").last).to_be_visible()


def test_a_crowd_is_put_together_counted_and_one_is_built(page: Page) -> None:
    page.goto("/new-crowd")
    page.get_by_label("Name").fill("cart_fans")
    page.get_by_label("Event or field").first.fill("cart")
    page.get_by_role("button", name="Look who is in it").click()
    expect(page.get_by_text("People in it: 40")).to_be_visible(timeout=30_000)
    whole(page, "/crowds")
    page.get_by_role("link", name="buyers").click()
    page.get_by_label("As of").fill("2026-11-10T00:00")
    page.get_by_role("button", name="Build it").click()
    expect(page.get_by_text("Done.")).to_be_visible(timeout=30_000)
    expect(page.locator("#members ~ p a")).to_have_count(16)  # those of odd days


def test_an_hour_of_the_calendar_leads_to_what_makes_it(page: Page) -> None:
    whole(page, "/calendar")
    page.locator("table.hours a").first.click()
    expect(page.locator("#parts")).to_be_in_viewport()
    expect(page.get_by_role("region", name="What makes it").get_by_role("link", name="cart_left")).to_be_visible()


def test_a_channel_is_paused(page: Page) -> None:
    page.goto("/health")
    channel = page.locator("section.channel", has_text="console")
    channel.get_by_label("Reason").fill("provider away")
    channel.get_by_role("button", name="Pause").click()
    expect(channel.get_by_text("provider away")).to_be_visible()
    channel.get_by_role("button", name="Go on").click()
    expect(channel.get_by_text("provider away")).to_have_count(0)


def test_a_channel_gets_a_rate(page: Page) -> None:
    page.goto("/channels")
    page.locator("main").get_by_role("link", name="console").click()
    page.get_by_label("Calls a second").fill("50")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_text("at most 50 a second")).to_be_visible()
    page.get_by_label("Calls a second").fill("none")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_text("no threshold")).to_be_visible()


def test_a_source_gets_a_key_that_is_shown_once(page: Page) -> None:
    page.goto("/sources")
    page.locator("main").get_by_role("link", name="shop").first.click()
    page.get_by_label("What it is for").fill("the app")
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_text("kairos_")).to_be_visible()
    page.get_by_role("link", name="Back to the source").click()
    expect(page.get_by_role("cell", name="the app")).to_be_visible()


def test_a_plan_is_seen_as_files_before_it_is_written(page: Page) -> None:
    page.goto("/plans")
    page.get_by_role("link", name="An order that is not paid").click()
    page.locator("[name='set.wait']").fill("15m")
    page.get_by_label("Its name here").fill("unpaid_15m")
    page.get_by_role("button", name="Show what it becomes").click()
    expect(page.get_by_text("--set wait=15m --as unpaid_15m")).to_be_visible()
    page.get_by_role("button", name="Write these files").click()
    expect(page.locator("#text")).to_contain_text("within: 15m")


def test_a_broadcast_is_walked_through_counted_and_submitted(page: Page) -> None:
    page.goto("/broadcast")
    steps = page.locator("ol.steps")
    page.get_by_label("Control group").fill("10%")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Name", exact=True).fill("summer")
    page.get_by_label("Folder").fill("sales")
    page.get_by_label("Channel").select_option("console")
    page.get_by_label("New text").fill("It is summer.")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("At", exact=True).fill("2027-06-20T10:00")
    page.get_by_role("button", name="Next").click()
    page.get_by_label("Waves").fill("10%, 100%")
    page.get_by_label("From one wave to the next").fill("15m")
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("Would be sent by console")).to_be_visible(timeout=30_000)
    expect(steps).to_contain_text("2027-06-20T10:00")
    page.get_by_label("How many people").fill("40")
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".state.live").first).to_be_visible()


def test_a_hostile_name_is_text(page: Page) -> None:
    page.goto("/people?find=" + HOSTILE_USER)
    page.get_by_role("link", name=HOSTILE_USER).first.click()
    expect(page.locator("h1")).to_have_text(HOSTILE_USER)


def test_a_page_says_that_the_server_is_away_and_later_that_it_is_back(browser: Browser, console: str) -> None:
    page = browser.new_page(base_url=console, locale="en")
    page.goto("/measure")
    away = page.get_by_role("alert").and_(page.locator("#failed"))
    expect(away).to_be_hidden()
    page.route("**/measure?**", lambda route: route.abort())
    asked = page.locator("form.filters select").first
    asked.select_option(index=1)
    expect(away).to_contain_text("Kairos does not answer")
    page.unroute("**/measure?**")
    asked.select_option(index=2)
    expect(page).to_have_url(re.compile(r"name="))
    expect(away).to_be_hidden()
    page.close()


def test_the_keyboard_skips_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("To the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_a_phone_scrolls_in_one_direction(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    assert unfit(page, PATHS) == []
