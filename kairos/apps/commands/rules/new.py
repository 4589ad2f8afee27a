"""`kairos new`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.view.errors import told
from kairos.apps.view.failures import tell_failure
from kairos.apps.view.findings import show_findings
from kairos.apps.view.terminal import say
from kairos.engine.rule.form.sketch import Answers
from kairos.usecases.errors import InvalidRulesError
from kairos.usecases.rules.new_activity import FailedExampleError, begin_activity

app = typer.Typer(rich_markup_mode=None)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The activity's name.")],
    event: Annotated[str, typer.Option(prompt="Which event begins it", help="The event that begins it.")],
    unless: Annotated[
        str,
        typer.Option(prompt="Which event must not follow (empty: none)", help="What must not follow; '' for nothing."),
    ] = "",
    within: Annotated[str, typer.Option(help="How long to wait for `--unless`.")] = "1h",
    channel: Annotated[str, typer.Option(prompt="By which channel", help="Where the message goes.")] = "push",
    theme: Annotated[str, typer.Option(help="The folder under activities/.")] = "new",
    rules: Annotated[Path, typer.Option(help="The rule folder.")] = Path("rules"),
) -> None:
    """Begin an activity: a draft with its example and its text, linted and tested. Overwrites nothing.

    What is not given is asked for.

    \b
    Examples:
      kairos new left_basket --event add_to_cart --unless purchase \\
        --within 1h --channel push
    """
    answers = Answers(name, theme, event, channel, unless or None, within if unless else None)
    with told():
        try:
            made = begin_activity(rules, answers)
        except InvalidRulesError as error:
            show_findings(rules, error.findings, sys.stderr)
            raise typer.Exit(1) from None
        except FailedExampleError as error:
            for failed in error.failed:
                say(tell_failure(rules, failed, sys.stderr))
            raise typer.Exit(1) from None
    for path in made:
        sys.stdout.write(f"{rules / path}\n")
