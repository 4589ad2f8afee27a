"""`kairos count`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import typer

from kairos.apps.inputs.files import valid_rules
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.people import Conf, Everyone, everyone
from kairos.apps.view.errors import told
from kairos.apps.view.schedule import show_count
from kairos.apps.view.terminal import say
from kairos.usecases.scheduler import foresee

app = typer.Typer(rich_markup_mode=None)

_WHERE = "snapshots stand in Redis, or in the file that `profiles.crowds` of --conf names (kairos crowds build)"


@app.command()
def count(
    activity: Annotated[str, typer.Argument(help="An activity that the calendar begins.")],
    rules: Annotated[Path, typer.Option(help="The rule folder.")] = Path("rules"),
    profiles: Everyone = None,
    conf: Conf = Path("conf/embedded.yaml"),
    form: Annotated[Literal["text", "json"], typer.Option("--format", help="As text, or as JSON.")] = "text",
) -> None:
    """Say whom the next slot of an activity would reach, by channel, and what stops the others. Nothing is sent.

    What users did before is not looked at: caps and `once` are as if this were the first message.

    \b
    Examples:
      kairos count flash_sale --rules examples/playbooks
      kairos count flash_sale --rules examples/playbooks \\
        --profiles .kairos/data/profiles.json --format json
    """
    with told():
        rule_set, _ = valid_rules(rules)
        people = everyone(profiles, conf)
        found = foresee.count(rule_set, activity, people, now())
        if not people.has_snapshots and (kept := foresee.kept_asked(rule_set, activity)):
            say(f"nobody is known to be in {', '.join(sorted(kept))}: {_WHERE}")
    if form == "json":
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        show_count(found, sys.stdout)
