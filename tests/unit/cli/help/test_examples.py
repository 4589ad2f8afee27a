"""Examples of `--help` run as they stand in a fresh copy of the project that holds the example's data."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from kairos.apps.cli import app
from kairos.apps.native.settings import data_folder
from kairos.usecases.operation.dataset.clickstream import prepare
from tests.unit.cli.help.test_help import CALLED, calls, examples

ROOT = Path(__file__).parents[4]
EVENTS = 600
"""Of the example's: enough to be decided about."""

READY = (
    "new", "plans use, plans diff", "lint", "test", "simulate", "explain", "preview", "journey draw",
    "schedule", "count", "compare",
)  # fmt: skip
"""Commands that need neither a server nor a run, a store or a warehouse before them; in their order."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's data, cut."""
    whole = prepare(data_folder() / "data")
    folder = tmp_path_factory.mktemp("few")
    shutil.copy(whole.profiles, folder)
    with whole.events.open(encoding="utf-8") as events, (folder / whole.events.name).open("w") as cut:
        cut.writelines(itertools.islice(events, EVENTS))
    return folder


@pytest.fixture
def project(tmp_path: Path, few: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a second rule folder, as one has it who compares."""
    for folder in ("rules", "plans", "examples", "conf"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns(".*"))
    shutil.copytree(ROOT / "rules", tmp_path / "new-rules", ignore=shutil.ignore_patterns(".*"))
    shutil.copytree(few, tmp_path / ".kairos" / "data")
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path / ".kairos"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("names", READY)
def test_it_runs_as_it_stands(names: str) -> None:
    helps = {one.command_path: one.command.get_help(one) for one in CALLED}
    for line in itertools.chain.from_iterable(examples(helps[f"kairos {name}"]) for name in names.split(", ")):
        for words in calls(line):
            done = CliRunner().invoke(app, words)
            assert done.exit_code == 0, f"{line}\n{done.output}"
