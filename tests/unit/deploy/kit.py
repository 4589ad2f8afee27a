"""What the tests of deploy/ share."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import typer
from typer.core import TyperGroup

from kairos.apps.cli import app

ROOT = Path(__file__).parents[3]


def check_words(words: Sequence[str]) -> set[str]:
    """That `kairos <words>` is a command with these options; nothing is run. Gives the names of all that it has. Raises
    a UsageError."""
    command = typer.main.get_command(app)
    context = typer.Context(command)
    rest = list(words)
    while isinstance(command, TyperGroup) and rest and not rest[0].startswith("-"):
        found = command.get_command(context, rest.pop(0))
        assert found is not None, words
        command = found
    command.make_context("kairos", rest).close()
    return {param.name or "" for param in command.params}


def environment() -> dict[str, str]:
    """What the configuration of deploy/ refers to."""
    return {**os.environ, "KAIROS_KAFKA": "k:1", "KAIROS_DATABASE": "sqlite:///x.db", "KAIROS_REDIS": "redis://r:1/0"}
