"""`kairos new`."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import fill
from typing import Annotated

import typer

from kairos.apps.inputs.moments import now
from kairos.apps.view.errors import told
from kairos.apps.view.failures import tell_failure
from kairos.apps.view.findings import show_findings
from kairos.apps.view.screen import table_width
from kairos.apps.view.terminal import say
from kairos.engine.rule.form.sketch import Answers
from kairos.usecases.errors import InvalidRulesError
from kairos.usecases.rules.lint import lint, need_folder
from kairos.usecases.rules.new_activity import FailedExampleError, begin_activity
from kairos.usecases.rules.writing import names_in

app = typer.Typer(rich_markup_mode=None)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="The activity's name.")],
    event: Annotated[str | None, typer.Option(help="The event that begins it.")] = None,
    unless: Annotated[str | None, typer.Option(help="What must not follow; '' for nothing.")] = None,
    within: Annotated[str, typer.Option(help="How long to wait for `--unless`.")] = "1h",
    channel: Annotated[str | None, typer.Option(help="Where the message goes.")] = None,
    theme: Annotated[str, typer.Option(help="The folder under activities/.")] = "new",
    rules: Annotated[Path, typer.Option(help="The rule folder.")] = Path("rules"),
) -> None:
    """Begin an activity: a draft with its example and its text, linted and tested. Overwrites nothing.

    What is not given is asked for, with the events that are there.

    \b
    Examples:
      kairos new left_basket --event add_to_cart --unless purchase \\
        --within 1h --channel push
    """
    with told():
        need_folder(rules)
        if event is None or unless is None:
            _tell_events(rules)
        event = typer.prompt("Which event begins it") if event is None else event
        if unless is None:
            unless = typer.prompt("Which event must not follow (empty: none)", default="", show_default=False)
        channel = typer.prompt("By which channel", default="push") if channel is None else channel
        answers = Answers(name, theme, event, channel, unless, within)
        try:
            made = begin_activity(rules, answers)
        except InvalidRulesError as error:
            show_findings(rules, error.findings, sys.stderr)
            say("nothing was written")
            raise typer.Exit(1) from None
        except FailedExampleError as error:
            for failed in error.failed:
                say(tell_failure(rules, failed, sys.stderr))
            say("nothing was written")
            raise typer.Exit(1) from None
    for path in made:
        sys.stdout.write(f"{rules / path}\n")
    say("a draft: write its text, then `kairos test`; `state: live` and `kairos publish` bring it to people")


def _tell_events(rules: Path) -> None:
    loaded = lint(rules, now()).rules
    if events := names_in(loaded)["event"] if loaded is not None else []:
        say(fill(f"events: {', '.join(events)}", table_width(), subsequent_indent="  "))
