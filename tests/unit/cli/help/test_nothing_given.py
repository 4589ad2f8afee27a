"""An option or an argument that is given and empty, as by a variable that is not set, is refused with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from kairos.apps.inputs.options import MAY_BE_EMPTY
from tests.unit.cli.cli_kit import run
from tests.unit.cli.help.test_help import CALLED


def words_of(command: Any) -> Iterator[tuple[str, list[str]]]:
    """Each of its parameters, and words in which that one is empty; what it cannot do without is there."""
    params = [one for one in command.params if one.name != "help" and not getattr(one, "is_flag", False)]
    for param in params:
        words = []
        for one in params:
            if one is param or one.required:
                name = [one.opts[0]] if one.param_type_name == "option" else []
                words += [*name, "" if one is param else "1"]
        yield param.name, words


@pytest.mark.parametrize("context", CALLED[1:], ids=lambda context: context.command_path)
def test_what_is_empty_is_refused_and_nothing_is_begun(context: typer.Context) -> None:
    """Words are read alone: no command is called."""
    if isinstance(context.command, TyperGroup):
        return
    for name, words in words_of(context.command):
        if name not in MAY_BE_EMPTY:
            with pytest.raises(typer.BadParameter, match="it is empty; say which, or leave it out"):
                context.command.make_context(context.info_name, words)


@pytest.mark.parametrize("words", [("releases", "--store", ""), ("lint", ""), ("list", "show", "black", "--conf", "")])
def test_the_reason_is_said(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    refused = run(*words)
    assert refused.exit_code == 2
    assert "it is empty; say which, or leave it out" in " ".join(refused.stderr.replace("│", " ").split())


def test_a_comment_may_be_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "it is empty" not in run("approve", "x", "--comment", "", "--store", "sqlite:///none.db").stderr
