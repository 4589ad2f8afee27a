"""Every measure says the same, byte for byte, on DuckDB and on a real Trino."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from benchmarks.measure import generate
from kairos.adapters.warehouse.opening import DUCKDB
from kairos.apps.cli import app
from kairos.apps.native.settings import data_folder
from kairos.usecases.operation.dataset.clickstream import prepare

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(1_200)]

EVENTS = int(os.environ.get("KAIROS_MEASURED_EVENTS", "50000"))
"""Of the generated shop. 1,000,000 take minutes on Trino."""
ASKED = [
    [],
    [f"{kind}/cart_left" for kind in ("reach", "lift", "money")] + ["--by", "variant"],
    ["reach/cart_left", "credit", "--by", "channel"],
    ["back_again", "second_purchase", "--by", "week"],
    ["life", "gone", "--by", "profile.timezone"],
]
"""All measures, and each way to tell them apart by some that can be told so."""


def run(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture(scope="module")
def clickstream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example rules over the example events, and a receipt of every kind for what was sent."""
    folder, given = tmp_path_factory.mktemp("shop"), prepare(data_folder() / "data")
    decisions, receipts = folder / "decisions.jsonl", folder / "receipts.jsonl"
    run("simulate", "rules", given.events, "--profiles", given.profiles, "--out", decisions)
    receipts.write_bytes(b"\n".join(_receipts(decisions)))
    files = ("--decisions", decisions, "--receipts", receipts, "--profiles", given.profiles)
    run("warehouse", "load", "--into", folder / "warehouse", "--rules", "rules", "--events", given.events, *files)
    return folder / "warehouse"


def _receipts(decisions: Path) -> Iterator[bytes]:
    """One in seven fails, the others get as far as their place in the file says."""
    statuses = ("failed", "sent", "delivered", "read", "clicked", "unknown", "delivered")
    for number, line in enumerate(decisions.read_bytes().splitlines()):
        record = msgspec.json.decode(line)
        if record["outcome"] == "send":
            props = {key: record[key] for key in ("activity", "occurrence", "channel")}
            props |= {"attempt": record.get("attempt", 1), "status": statuses[number % len(statuses)]}
            receipt = {"type": "receipt", "user_id": record["user_id"], "time": record["at"] + 60_000, "props": props}
            yield msgspec.json.encode(receipt)


@pytest.mark.parametrize("asked", ASKED, ids=" ".join)
def test_on_the_clickstream(clickstream: Path, trino: str, asked: list[str]) -> None:
    words = ["measure", *asked, "--warehouse", clickstream, "--format", "json"]
    told = run(*words, "--engine", DUCKDB)
    assert run(*words, "--engine", trino) == told
    assert '"rows": [{' in told


def test_on_a_generated_shop(tmp_path: Path, trino: str) -> None:
    generate(tmp_path, EVENTS, EVENTS // 10)
    words = ["measure", "--warehouse", tmp_path / "warehouse", "--rules", tmp_path / "rules", "--format", "json"]
    told = run(*words, "--engine", DUCKDB)
    assert run(*words, "--engine", trino) == told
    assert len(msgspec.json.decode(told)) >= 12
