"""`kairos reviews`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer

from kairos.adapters.control import webhook
from kairos.adapters.control.approvals import Approvals, Submission
from kairos.adapters.control.database import Control
from kairos.apps.inputs.acting import acting
from kairos.apps.inputs.moments import now
from kairos.apps.inputs.store import RuleStore, rule_store
from kairos.apps.view.errors import told
from kairos.apps.view.terminal import escape, escape_lines, fitted
from kairos.usecases.control.advance import asking
from kairos.usecases.control.approvals import Reviewed
from kairos.usecases.control.approvals import reviews as usecase

app = typer.Typer(rich_markup_mode=None)


@app.command()
def reviews(
    subject: Annotated[str | None, typer.Argument(help="Show this one as a whole.")] = None,
    store: RuleStore = None,
) -> None:
    """List what was submitted, and whose turn it is; of one subject everything that would change.

    Steps that only take time, or that another system decides, are looked after first.

    \b
    Examples:
      kairos reviews
      kairos reviews cart_left
    """
    with told():
        target = rule_store(store)
        actor = acting(target)
        actor.need("look")
        with Control(target) as control:
            found = [each for each in usecase(control, now(), asking(webhook.ask)) if subject in (None, each.subject)]
            for each in found:
                sys.stdout.write(_tell(each) + "\n")
            if subject is not None:
                for each in found:
                    _show(each, Approvals(control).submission(each.number))
            elif not found:
                sys.stdout.write("nothing is submitted\n")


def _tell(review: Reviewed) -> str:
    asked = review.votes[0]
    name = f"{escape(review.subject)}@{review.meaning[:12]}"
    turn = f", waits for {review.open}" if review.open is not None else ""
    head = "EMERGENCY " if review.emergency is not None and review.state != "approved" else ""
    state, at = review.state.replace("_", " "), _utc(asked.requested_at)
    return fitted(f"{head}{name}: {state}{turn}; by {escape(asked.requested_by)}, {at}")


def _show(review: Reviewed, submission: Submission) -> None:
    for line in (*submission.plan, *submission.forecast):
        sys.stdout.write(fitted(f"    {escape_lines(line)}", hang=6) + "\n")
    for vote in review.votes:
        if vote.decision is None:
            sys.stdout.write(f"  {vote.step}: open until {_utc(vote.expires_at)}\n")
        else:
            comment = f": {escape(vote.comment)}" if vote.comment else ""
            by = escape(vote.decided_by or "")
            line = f"  {vote.step}: {vote.decision} by {by}, {_utc(vote.decided_at or 0)}{comment}"
            sys.stdout.write(fitted(line) + "\n")


def _utc(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
