"""What commands have in common that write a release, or ask for the approvals of one."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from kairos.adapters.control.database import Control
from kairos.adapters.rules.files import read_folder
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.people import everyone
from kairos.apps.view.terminal import count, escape, escape_lines, fail, paint, say
from kairos.usecases.control.approvals import Standing, standings
from kairos.usecases.control.publish import NotApprovedError, publish
from kairos.usecases.control.reach import NotExpectedError, Reach, need_expected, reach_of
from kairos.usecases.control.rights import Actor
from kairos.usecases.rules.publish import Proposal
from kairos.usecases.scheduler.foresee import blasts_in

Expect = Annotated[
    int | None, typer.Option(help="How many people a blast is to reach; within 5 %, else nothing is published.")
]


def files_of(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in read_folder(folder).items() if isinstance(content, bytes)}


def count_reach(proposal: Proposal, profiles: str | None, conf: Path) -> Reach:
    """What goes to many at once is told; what cannot be counted is said, and counts as everybody."""
    reach = reach_of(proposal.before, proposal.after, lambda: everyone(profiles, conf), now())
    if reach.unknown:
        say(f"how many people a schedule reaches cannot be told: {escape_lines(reach.unknown)}")
    for name in blasts_in(proposal.before, proposal.after):
        if name in reach.people:
            sys.stdout.write(f"  {name} goes out at once, to {count(reach.people[name], 'person', 'people')}\n")
    return reach


def as_expected(proposal: Proposal, reach: Reach, expect: int | None) -> bool:
    """Whether it is what `--expect` says; says why it is not."""
    try:
        need_expected(reach.of(blasts_in(proposal.before, proposal.after)), expect)
    except NotExpectedError as error:
        say(str(error))
        return False
    return True


def approval_standings(store: str, proposal: Proposal, reach: Reach, at: int) -> list[Standing]:
    with Control(store) as control:
        return standings(control, proposal, reach.people, at)


def show_standings(found: Sequence[Standing]) -> None:
    for each in found:
        waits = f": needs {', '.join(each.missing)}" if each.missing else ""
        needs = "needs nobody" if not each.subject.steps else each.state.replace("_", " ")
        sys.stdout.write(f"  {escape(each.subject.name)}@{each.subject.meaning[:12]}: {needs}{waits}\n")


def emergency_of(emergency: bool, reason: str | None) -> str | None:
    """The reason, of what cannot wait."""
    if emergency and not (reason or "").strip():
        fail("--emergency needs --reason: why it cannot wait")
    return reason if emergency else None


def write_release(
    proposal: Proposal,
    store: str,
    files: Mapping[str, bytes] | None,
    actor: Actor,
    reach: Reach,
    expect: int | None,
    emergency: str | None,
) -> None:
    """What is not approved is told, and ends the command with 1."""
    try:
        done = publish(proposal, store, files, actor, now(), reach, expect, emergency)
    except NotApprovedError as error:
        show_standings(error.standings)
        how = (
            "kairos submit" if files is not None else "--submit asks; an operator may at once: --emergency --reason ..."
        )
        sys.stdout.write(paint(f"not published: not approved ({how})", "error", sys.stdout) + "\n")
        raise typer.Exit(1) from None
    sys.stdout.write(paint(f"published release {done.number}", "good", sys.stdout) + "\n")
    if done.pausing:
        warning = paint("warning:", "warning", sys.stderr)
        say(f"{warning} not approved: {', '.join(done.pausing)} pause in 24 h, unless it is approved by then")
