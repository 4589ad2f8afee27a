"""`kairos report` and `kairos measure --format html` over a warehouse: text, page and picture of the same effects."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from rich.console import Console

from kairos.apps.page.numbers import moment
from kairos.apps.page.picture import picture
from kairos.apps.view.effects import effect_table
from kairos.engine.event import Event
from kairos.usecases.results.measure import Wanted
from kairos.usecases.results.measure_all import measure_all
from tests.measured import DAY, HOUR, START, play, valid
from tests.unit.cli.cli_kit import run
from tests.unit.page.sample import sections
from tests.unit.page.test_page import Page

CART_LEFT = b"""
activity: cart_left
state: live
trigger: {event: cart}
audience: {control_group: 50%}
variants:
  - {name: short, weight: 1, send: [{channel: console}]}
  - {name: long, weight: 1, send: [{channel: console}]}
goal: {event: purchase, within: 1d}
"""
MEASURES = b"""
purchase: {event: purchase, value: 50}
measures:
  back: {retention: {start: {first: cart}, return: [cart, purchase], days: [0, 1]}}
"""
FILES = {"activities/all/cart_left.yaml": CART_LEFT, "measures.yaml": MEASURES}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`rules`, `run` with its decisions, `warehouse`."""
    folder, chance, events = tmp_path_factory.mktemp("shop"), random.Random(3), []
    for number in range(80):
        at = START + number % 10 * DAY + 12 * HOUR
        events.append(Event(f"c{number}", "cart", at, "", {}, f"u{number}"))
        if chance.random() < 0.4:
            events.append(Event(f"p{number}", "purchase", at + HOUR, "", {}, f"u{number}"))
    records = play(folder / "warehouse", valid(FILES), events)
    (folder / "run").mkdir()
    (folder / "run" / "decisions.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, records)))
    for path, content in FILES.items():
        (folder / "rules" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "rules" / path).write_bytes(content)
    return folder


def report(shop: Path, *more: str) -> str:
    result = run("report", shop / "run", "--rules", shop / "rules", "--warehouse", shop / "warehouse", *more)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_in_a_pipe_it_fits_eighty_columns(shop: Path) -> None:
    told = report(shop).replace(str(shop), "")
    assert [line for line in told.splitlines() if len(line) > 80] == []
    assert "cart_left" in told
    assert "What each activity brought" in told


def test_as_text_it_says_what_was_sent_and_what_it_brought(shop: Path) -> None:
    text = report(shop)
    assert "What each activity brought" in text
    assert "Not told yet" in text
    for variant in ("short", "long"):
        assert text.count(f" {variant} ") >= 2  # what was sent, and what it brought
    assert {"short", "long"} <= set(better(text).split())
    assert "Not told yet" in better(text)


def test_of_a_job_that_goes_on_the_warehouse_is_the_report(shop: Path) -> None:
    """The same numbers as of its files, and nothing of what no warehouse knows."""
    result = run("report", "--rules", shop / "rules", "--warehouse", shop / "warehouse")
    assert result.exit_code == 0, result.output
    whole = report(shop).partition("Dead letters")[0]
    assert result.stdout.split() == whole.split()
    assert "Which variant is better" in result.stdout


def test_where_nothing_was_decided_no_empty_table_stands(shop: Path, tmp_path: Path) -> None:
    play(tmp_path / "w", valid(FILES), [Event("v", "visit", START, "", {}, "u")])
    result = run("report", "--rules", shop / "rules", "--warehouse", tmp_path / "w")
    assert (result.exit_code, result.stdout.strip()) == (0, "Nothing has been decided yet.")


def test_variants_whose_time_is_not_over_say_so(shop: Path, tmp_path: Path) -> None:
    events = [Event(f"c{user}", "cart", START, "", {}, f"u{user}") for user in range(9)]
    play(tmp_path / "w", valid(FILES), [*events, Event("v", "visit", START + HOUR, "", {}, "u")])
    result = run("report", "--rules", shop / "rules", "--warehouse", tmp_path / "w")
    assert "Nothing yet. For 9 users the time to see it" in " ".join(better(result.stdout).split())


def test_where_events_have_stopped_it_says_until_when_and_reads_as_of_a_later_time(shop: Path, tmp_path: Path) -> None:
    """Time is the events' own, so without more of them nobody's time would ever be over."""
    events = [Event(f"c{user}", "cart", START, "", {}, f"u{user}") for user in range(9)]
    play(tmp_path / "w", valid(FILES), [*events, Event("v", "visit", START + HOUR, "", {}, "u")])

    def told(*more: str) -> str:
        result = run("report", "--rules", shop / "rules", "--warehouse", tmp_path / "w", *more)
        assert result.exit_code == 0, result.output
        return " ".join(result.stdout.split())

    over, newest = moment(START + DAY + 2_000), moment(START + HOUR)
    assert f"Read as of {newest}, the newest event. In no number yet" in told()
    assert f"9 of cart_left until {over}." in told()
    assert f"of the last it ends at {over}." in told("--format", "html")
    later = told("--as-of", "2026-12-01")
    assert "Read as of 2026-12-01 00:00 UTC." in later
    assert "In no number yet" not in later
    assert "the time to see it" not in later
    assert "Nothing has been decided yet." in told("--as-of", "2000-01-01")


def test_a_run_of_files_alone_is_told_whole(shop: Path) -> None:
    result = run("report", shop / "run", "--rules", shop / "rules", "--as-of", "2026-01-01")
    assert (result.exit_code, "--as-of needs --warehouse" in result.stderr) == (2, True)


def test_which_variant_was_better_is_told_when_it_has_been_published(shop: Path, tmp_path: Path) -> None:
    """Its entries are of an epoch of their own, and say nothing of the one before."""
    won = CART_LEFT.partition(b"variants:")[0] + b"send: [{channel: console}]\ngoal: {event: purchase, within: 1d}\n"
    files = {**FILES, "activities/all/cart_left.yaml": won}
    for name in ("warehouse", "run"):
        shutil.copytree(shop / name, tmp_path / name)
    for path, content in files.items():
        (tmp_path / "rules" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rules" / path).write_bytes(content)
    assert " (epoch" not in better(report(tmp_path))
    play(tmp_path / "warehouse", valid(files), [Event("n", "cart", START + 20 * DAY, "", {}, "new"),
                                                Event("e", "visit", START + 30 * DAY, "", {}, "new")])  # fmt: skip
    told = report(tmp_path)
    assert "cart_left (epoch 1)" in better(told)
    assert " treated " not in told.partition("what can be said")[2]


def better(text: str) -> str:
    """What the report says of variants."""
    return text.partition("Which variant is better")[2].partition("Dead letters")[0]


def test_as_a_page_it_has_every_measure_and_the_cohorts_of_weeks(shop: Path) -> None:
    html = report(shop, "--format", "html")
    page = Page(html)
    assert page.open == []
    assert "p of the pair" in page.text
    wanted = {"lift-cart_left", "lift-cart_left-variant", "reach-cart_left", "money-cart_left", "back", "back-week"}
    assert wanted <= set(page.ids)
    assert "WITH units AS" in page.text  # the SQL of a lift
    asked = run("measure", "--rules", shop / "rules", "--warehouse", shop / "warehouse", "--format", "html")
    assert asked.stdout == html


def test_one_measure_may_be_a_page(shop: Path) -> None:
    asked = ("measure", "back", "--by", "week", "--rules", shop / "rules", "--warehouse", shop / "warehouse")
    page = Page(run(*asked, "--format", "html").stdout)
    assert "back-week" in page.ids


def test_by_theme_names_the_folder_of_the_activity(shop: Path) -> None:
    asked = ("measure", "reach/cart_left", "--by", "theme", "--rules", shop / "rules")
    told = run(*asked, "--warehouse", shop / "warehouse", "--format", "json").stdout
    rows = msgspec.json.decode(told)[0]["rows"]
    assert {row["theme"] for row in rows} == {"all"}


def test_as_a_picture_it_is_whole(shop: Path) -> None:
    root = ElementTree.fromstring(report(shop, "--format", "svg"))
    assert "cart_left" in "".join(root.itertext())


def test_page_and_picture_need_a_warehouse(shop: Path) -> None:
    result = run("report", shop / "run", "--rules", shop / "rules", "--format", "html")
    assert result.exit_code == 2
    assert "needs --warehouse" in result.output


def test_a_picture_of_every_verdict() -> None:
    texts = "".join(ElementTree.fromstring(picture(sections())).itertext())
    for said in ("works", "does harm", "not told yet", "no answer", "unsound"):
        assert said in texts


def test_the_table_fits_a_terminal_of_80_columns() -> None:
    console = Console(width=80, record=True, file=None)
    with console.capture() as captured:
        console.print(effect_table(sections()))
    lines = captured.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("back_after_14d" in line for line in lines)


def test_many_questions_are_answered_as_few_are(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many are asked of tables that are kept by activity."""
    loaded = valid(FILES)
    assert loaded.rules is not None
    few = measure_all(shop / "warehouse", loaded.rules, loaded.measures, Wanted())
    assert {"lift", "reach", "money", "retention"} == {answer.kind for answer in few}
    monkeypatch.setattr("kairos.usecases.results.measure_all.FEW", 0)
    assert measure_all(shop / "warehouse", loaded.rules, loaded.measures, Wanted()) == few
