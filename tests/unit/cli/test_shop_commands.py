"""`kairos catalog` and `kairos coupons`: items told as events, codes put into pools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kairos.adapters.coupons.sqlite import SqliteCoupons
from kairos.engine.coupon.pools import Claim
from tests.unit.cli.cli_kit import run

ACTIVITY = "activity: gift\ntrigger: {event: ask}\nsend: [{channel: console}]\n"
CATALOGS = "products: {key: sku, fields: {price: number, stock: integer, title: string}, follow: {wish: 90d}}\n"
DROP = "activity: drop\ntrigger: {event: catalog.changed, where: price < was_price}\nsend: [{channel: console}]\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "rules/activities/t"
    folder.mkdir(parents=True)
    (folder / "gift.yaml").write_text(ACTIVITY)
    (folder / "drop.yaml").write_text(DROP)
    (tmp_path / "rules/catalogs.yaml").write_text(CATALOGS)
    (tmp_path / "rules/coupons.yaml").write_text("spring: {codes: redis}\nsummer: {codes: c.txt}\n")
    (tmp_path / "rules/c.txt").write_text("X\n")
    (tmp_path / "conf.yaml").write_text("delivery: {store: sqlite:///l.db}\ncoupons: {file: codes.db}\n")
    return tmp_path


def test_a_table_of_items_becomes_events_that_a_simulation_plays(here: Path) -> None:
    wish = {"id": "w", "type": "wish", "user_id": "u1", "time": "2026-01-01T00:00Z", "props": {"sku": "p1"}}
    (here / "events.jsonl").write_text(json.dumps(wish) + "\n")
    for price in ("100", "80.5"):
        (here / "items.csv").write_text(f"sku,price,stock,title,colour\np1,{price},5,Lamp,red\np2,7,,Cup,\n")
        done = run("catalog", "load", "items.csv", "--out", "events.jsonl")
        assert (done.exit_code, done.stdout) == (0, "products: 2 items told\n"), done.output
    lines = [json.loads(line) for line in (here / "events.jsonl").read_text().splitlines()]
    told = {name: lines[3][name] for name in ("type", "user_id", "source", "props")}
    props = {"catalog": "products", "sku": "p1", "price": 80.5, "stock": 5, "title": "Lamp"}
    assert told == {"type": "catalog.item", "user_id": "p1", "source": "kairos", "props": props}
    lines[0]["time"] = lines[1]["time"] - 1  # the wish is of just before
    lines[3]["time"] += 1_000
    (here / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run("simulate", "rules", "events.jsonl")
    assert [json.loads(line)["activity"] for line in done.stdout.splitlines()] == ["drop"]


def test_rows_that_are_no_items_are_named_and_left_out(here: Path) -> None:
    (here / "items.jsonl").write_text(
        '{"sku": "p1", "price": "cheap"}\n{"price": 3}\n[1]\n{"sku": 7, "price": 3, "stock": null}\n'
    )
    done = run("catalog", "load", "items.jsonl", "--out", "out.jsonl")
    assert (done.exit_code, done.stdout) == (1, "products: 1 items told, 3 left out\n")
    assert "line 1: p1: price not of the type that catalogs.yaml says; left out" in done.stderr
    assert "line 2: 'sku' is missing, which names the item; left out" in done.stderr
    assert "line 3: no JSON object" in done.stderr
    assert json.loads((here / "out.jsonl").read_text())["props"] == {
        "catalog": "products", "sku": 7, "price": 3, "stock": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("file", "more", "said"),
    [
        ("items.csv", ["--catalog", "product"], "there is no catalog 'product'; did you mean 'products'?"),
        ("gone.csv", [], "the items gone.csv: no such file or directory"),
        ("items.xlsx", [], "expected a file that ends with .csv, .jsonl or .json"),
    ],
)
def test_what_cannot_be_loaded_is_said(here: Path, file: str, more: list[str], said: str) -> None:
    (here / "items.csv").write_text("sku\np1\n")
    (here / "items.xlsx").write_text("")
    done = run("catalog", "load", file, "--out", "out.jsonl", *more)
    assert done.exit_code == 2
    assert said in done.stderr


def test_codes_are_put_in_once_and_counted(here: Path) -> None:
    (here / "codes.txt").write_text("A\n\nB\n")
    assert run("coupons", "load", "spring", "codes.txt", "--conf", "conf.yaml").stdout == (
        "spring: 2 of 2 codes are new, 2 are free\n"
    )
    store = SqliteCoupons(here / "codes.db")
    assert store.take(Claim("code", "spring", "k", "gift", "u1")) == "A"
    store.close()
    (here / "codes.txt").write_text("A\nB\nC\n")
    assert run("coupons", "load", "spring", "codes.txt", "--conf", "conf.yaml").stdout == (
        "spring: 1 of 3 codes are new, 2 are free\n"
    )
    shown = run("coupons", "show", "--conf", "conf.yaml").stdout.splitlines()
    assert [line.split() for line in shown] == [
        ["spring", "2", "free", "1", "taken", "of", "3"], ["summer", "0", "free", "0", "taken", "of", "0"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("pool", "said"),
    [
        ("sprng", "there is no pool of coupons 'sprng'; did you mean 'spring'?"),
        ("summer", "the codes of 'summer' come from a file of the rules"),
    ],
)
def test_codes_that_would_lie_there_are_refused(here: Path, pool: str, said: str) -> None:
    (here / "codes.txt").write_text("A\n")
    done = run("coupons", "load", pool, "codes.txt", "--conf", "conf.yaml")
    assert done.exit_code == 2
    assert said in done.stderr
