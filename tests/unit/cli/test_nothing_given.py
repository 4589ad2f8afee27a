"""An option or an argument that is given and empty, as by a variable that is not set, is refused with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from kairos.apps.cli import FREE_TEXT
from tests.unit.cli.cli_kit import run
from tests.unit.cli.test_help import CALLED


def words_of(context: typer.Context) -> Iterator[list[str]]:
    """The command, once with each of its parameters empty; what it cannot do without is there."""
    params: list[Any] = [one for one in context.command.params if one.name != "help"]
    for param in params:
        if getattr(param, "is_flag", False) or param.name in FREE_TEXT:
            continue
        words = context.command_path.split()[1:]
        for one in params:
            given = [""] if one is param else ["x"] if one.required else []
            words += [one.opts[0], *given] if given and one.param_type_name == "option" else given
        yield words


@pytest.mark.parametrize("context", CALLED[1:], ids=lambda context: context.command_path)
def test_what_is_empty_is_refused(context: typer.Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in words_of(context):
        refused = run(*words)
        assert (refused.exit_code, "Invalid value" in refused.stderr) == (2, True), (words, refused.output)
    assert list(tmp_path.iterdir()) == []


def test_the_reason_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for words in (("releases", "--store", ""), ("lint", ""), ("list", "show", "black", "--conf", "")):
        said = " ".join(run(*words).stderr.replace("\u2502", " ").split())
        assert "it is empty; say which, or leave it out" in said
