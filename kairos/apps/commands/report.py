"""`kairos report`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.content import Renderer
from kairos.adapters.run_folder import RunFolderError
from kairos.apps.console import fail
from kairos.apps.report import read
from kairos.apps.rule_folder import valid_rules

app = typer.Typer(rich_markup_mode=None)

PLAIN_WIDTH = 120
"""Columns where the output is no terminal."""


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="The output folder of a run on files.")],
    rules: Annotated[Path, typer.Option(help="The rule folder, for the templates.")] = Path("rules"),
) -> None:
    """Sum up what a run decided: per activity and channel, with examples, dead letters, and where the files are.

    \b
    Examples:
      kairos report .kairos/run
    """
    from rich.console import Console

    from kairos.apps.report_view import show

    loaded, _ = valid_rules(rules)
    try:
        result = read(folder)
    except (RunFolderError, OSError) as error:
        fail(str(error))
    width = None if sys.stdout.isatty() else PLAIN_WIDTH
    show(result, Renderer(loaded.templates, loaded.materials), Console(file=sys.stdout, width=width, highlight=False))
