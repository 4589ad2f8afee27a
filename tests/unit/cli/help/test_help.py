"""`--help` of every command: it shows how the command is called, fits a terminal, and costs no time."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from kairos.apps.cli import COMMANDS, HEADINGS, app
from tests.unit.deploy.kit import check_words

COLUMNS = 80
GROUP: Any = typer.main.get_command(app)


def every_command(command: Any, context: typer.Context) -> Iterator[typer.Context]:
    yield context
    if isinstance(command, TyperGroup):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from every_command(child, typer.Context(child, parent=context, info_name=name))


CALLED = list(every_command(GROUP, typer.Context(GROUP, info_name="kairos", terminal_width=COLUMNS)))


def examples(text: str) -> list[str]:
    """The commands of a help text, each on one line, without what is said beside them."""
    shown = re.sub(r" *\\\n *", " ", re.split(r"Examples?:", text, maxsplit=1)[1].partition("\n\n")[0])
    return [re.sub(r" {2,}\S.*", "", line) for line in re.findall(r"(kairos .*)", shown)]


def test_every_command_has_a_heading() -> None:
    assert {command.module.partition(".")[0] for command in COMMANDS.values()} == set(HEADINGS)
    shown = GROUP.get_help(CALLED[0])
    places = [shown.index(f"\n{heading}:\n") for heading in HEADINGS.values()]
    assert places == sorted(places)
    for name, command in COMMANDS.items():
        line = next(line for line in shown.splitlines() if line.strip().endswith(command.summary))
        assert line.split()[0] == name


@pytest.mark.parametrize("context", CALLED, ids=lambda context: context.command_path)
def test_help_has_an_example_that_can_be_called_and_fits_a_terminal(context: typer.Context) -> None:
    shown = context.command.get_help(context)
    assert [line for line in shown.splitlines() if len(line) > COLUMNS] == []
    assert "..." not in shown.partition("\nCommands:\n")[2]  # each sentence stands whole
    called = examples(shown)
    assert called
    for line in called:
        assert isinstance(context.command, TyperGroup) or line.startswith(context.command_path), line
        for words in calls(line):
            check_words(words)


def calls(line: str) -> list[list[str]]:
    """Of `kairos plans evidence && kairos learn > x.txt`: what follows `kairos`, twice."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="<>|&;")
    lexer.whitespace_split = True
    commands: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set("<>|&;"):
            commands.append([])
        else:
            commands[-1].append(word)
    return [words[1:] for words in commands if words[:1] == ["kairos"]]


def test_the_list_of_commands_imports_none_of_them() -> None:
    """It takes 0.15 s; each of these alone costs as much."""
    code = (
        "import sys; from kairos.apps.cli import app; from typer.testing import CliRunner;"
        "CliRunner().invoke(app, ['--help']);"
        "print([m for m in sys.modules if m.partition('.')[0] in ('msgspec', 'yaml', 'rich', 'jinja2', 'sqlalchemy')"
        " or m.startswith(('kairos.apps.commands', 'kairos.engine', 'kairos.usecases', 'kairos.adapters'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
