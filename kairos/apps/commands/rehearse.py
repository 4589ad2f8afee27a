"""`kairos test`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.console import fail, paint
from kairos.apps.failure_report import tell_failure
from kairos.apps.rule_folder import count, valid_rules
from kairos.engine.rehearse import rehearse

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
      kairos test rules/ --activity order_unpaid_10m
    """
    rules, loaded = valid_rules(path)
    if activity is not None and activity not in rules.activities:
        fail(f"there is no activity {activity!r} in {path}")
    files = [file for name, file in sorted(loaded.tests.items()) if activity in (None, name)]
    failed = total = 0
    for file in files:
        total += len(file.tests)
        for failure in rehearse(rules, file):
            failed += 1
            sys.stdout.write(tell_failure(path, file, failure, sys.stdout) + "\n")
    without = sorted(name for name in rules.activities if activity in (None, name) and name not in loaded.tests)
    if without:
        sys.stdout.write(f"no examples: {', '.join(without)}\n")
    of = count(len(files), "activity", "activities")
    verdict = f"{count(total - failed, 'example')} passed, {failed} failed, of {of}"
    sys.stdout.write(paint(verdict, "error" if failed else "good", sys.stdout) + "\n")
    sys.stdout.flush()
    raise typer.Exit(1 if failed else 0)
