"""`kairos journey`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from kairos.apps.inputs.files import valid_rules
from kairos.apps.view.errors import told
from kairos.usecases.rules.journey import draw

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def journey() -> None:
    """Journeys: series of messages with waits, choices and an end.

    \b
    Example:
      kairos journey draw welcome --rules examples/playbooks
    """


@app.command("draw")
def draw_journey(
    name: Annotated[str, typer.Argument(help="The journey.")],
    rules: Annotated[Path, typer.Option(help="The rule folder.")] = Path("rules"),
    format: Annotated[
        Literal["mermaid", "svg"], typer.Option("--format", help="Text for Markdown, or a picture.")
    ] = "mermaid",
) -> None:
    """Draw a journey: its steps, the ways between them, and what ends it.

    \b
    Examples:
      kairos journey draw welcome --rules examples/playbooks
      kairos journey draw welcome --rules examples/playbooks --format svg \\
        > welcome.svg
    """
    with told():
        rule_set, _ = valid_rules(rules)
        sys.stdout.write(draw(rule_set, name, format, str(rules)))
