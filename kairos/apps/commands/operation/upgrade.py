"""`kairos upgrade`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kairos.apps.cluster import Cluster
from kairos.apps.cluster import load_settings as load_cluster
from kairos.apps.cluster.job import Jobs
from kairos.apps.cluster.package import package_code
from kairos.apps.commands.operation.fleet import FLEET, File
from kairos.apps.fleet.fleet import Fleet
from kairos.apps.fleet.journal import JournalFile, begin
from kairos.apps.fleet.settings import load_settings
from kairos.apps.fleet.upgrade import Parts, Upgrade
from kairos.apps.stack import Stack
from kairos.apps.stack import load_settings as load_stack
from kairos.apps.stack.stack import OF_KAIROS
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import say

app = typer.Typer(rich_markup_mode=None)


@app.command()
def upgrade(
    file: File = FLEET,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell the steps, and which are done; do none.")] = False,
    instead: Annotated[
        bool, typer.Option("--instead", help="In place of an upgrade to another release that is not over.")
    ] = False,
) -> None:
    """Bring the job and all processes of conf/fleet.yaml to the release that this command belongs to.

    The job stops with a savepoint and goes on from it with this release's code; then each process is restarted, one
    after the other. Whatever fails or dies in the middle: run it again, and it goes on where it was.

    \b
    Examples:
      kairos upgrade --dry-run
      kairos upgrade
    """
    with told():
        settings = load_settings(file)
        journal_file = JournalFile(settings.folder)
        journal = begin(journal_file.read(), str(Path.cwd()), instead=instead)
        cluster = Cluster(load_cluster())
        stack = Stack(load_stack())
        parts = Parts(Jobs(cluster), cluster, cluster.sides, Fleet(settings), package_code, stack, OF_KAIROS)
        task = Upgrade(settings, parts, journal_file, journal)
        if dry_run:
            for number, (name, done) in enumerate(task.plan(), 1):
                typer.echo(f"{number}. {name}{' (done)' if done else ''}")
            return
        task.run(say)
        typer.echo(f"all of {file}{' and of the stack' if journal.of_stack else ''} is what {journal.release} has")
