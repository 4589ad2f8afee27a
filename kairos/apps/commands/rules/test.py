"""`kairos test`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.inputs.files import valid_rules
from kairos.apps.view.errors import told
from kairos.apps.view.failures import tell_failure
from kairos.apps.view.terminal import count, paint
from kairos.usecases.rules.rehearse import rehearse_all

app = typer.Typer(rich_markup_mode=None)


@app.command("test")
def run_examples(
    path: Annotated[Path, typer.Argument(help="The rule folder.")] = Path("rules"),
    activity: Annotated[str | None, typer.Option(help="Only the examples of this activity.")] = None,
) -> None:
    """Lint the rules, then run the examples beside them in the real engine.

    An example lists all decisions of its activity: one that is missing or one too many fails it, and what came instead
    is shown with the reason. Exits with 1 when an example fails, with 2 when the rules have an error.

    \b
    Examples:
      kairos test
      kairos test rules/ --activity cart_left
    """
    with told():
        rules, loaded = valid_rules(path)
        done = rehearse_all(rules, loaded.tests, activity, str(path))
    for failed in done.failed:
        sys.stdout.write(tell_failure(path, failed, sys.stdout) + "\n")
    if done.without:
        sys.stdout.write(f"no examples: {', '.join(done.without)}\n")
    of, failed_count = count(done.activities, "activity", "activities"), len(done.failed)
    verdict = f"{count(done.examples - failed_count, 'example')} passed, {failed_count} failed, of {of}"
    sys.stdout.write(paint(verdict, "error" if done.failed else "good", sys.stdout) + "\n")
    sys.stdout.flush()
    raise typer.Exit(1 if done.failed else 0)
