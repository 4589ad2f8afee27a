"""`kairos lint`."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from kairos.apps.inputs.moments import now
from kairos.apps.view.errors import told
from kairos.apps.view.findings import show_findings, summary
from kairos.apps.view.terminal import paint
from kairos.usecases.rules import lint as usecase

app = typer.Typer(rich_markup_mode=None)


class Format(StrEnum):
    text = "text"
    json = "json"


@app.command()
def lint(
    path: Annotated[Path, typer.Argument(help="The rule folder.")] = Path("rules"),
    format: Annotated[Format, typer.Option(help="`json`: a list of findings, files relative to PATH.")] = Format.text,
) -> None:
    """Report every mistake in a rule folder, with file, line and column.

    Errors are what cannot work, warnings what is probably not meant. Exits with 1 when there is an error.

    \b
    Examples:
      kairos lint                                   the folder rules/
      kairos lint examples/playbooks --format json  for editors and programs
    """
    with told():
        loaded = usecase.lint(path, now())
    if format is Format.json:
        sys.stdout.write(msgspec.json.encode(loaded.findings).decode() + "\n")
    else:
        show_findings(path, loaded.findings, sys.stdout)
        sys.stdout.write(_verdict(loaded.rules is not None, len(loaded.findings), summary(loaded.findings)) + "\n")
    sys.stdout.flush()
    raise typer.Exit(0 if loaded.rules is not None else 1)


def _verdict(valid: bool, findings: int, said: str) -> str:
    if not findings:
        return paint("no findings", "good", sys.stdout)
    return said if valid else paint(said, "error", sys.stdout)
