"""What waits to be agreed to, one of it with all that would change, and the publishing of what is approved."""

from __future__ import annotations

import shlex
from urllib.parse import quote

from kairos.adapters.control import webhook
from kairos.adapters.control.approvals import Approvals
from kairos.adapters.control.database import Control
from kairos.apps.api.control import counted
from kairos.apps.api.endpoint import Call
from kairos.apps.console.proposed import proposal_of
from kairos.apps.console.screen import ConsoleParts, Deed, Screen, Values
from kairos.usecases.control import approvals
from kairos.usecases.control.activities import rules_of
from kairos.usecases.control.advance import asking
from kairos.usecases.control.publish import publish
from kairos.usecases.control.reach import number_of_people
from kairos.usecases.errors import AskError, NotThereError
from kairos.usecases.rules.draft import runs_at_once


def _reviews(parts: ConsoleParts, call: Call) -> Values:
    with Control(parts.store) as control:
        found = approvals.reviews(control, call.now, asking(webhook.ask))
    return {
        "reviews": found,
        "may_publish": call.actor.may("publish") and not runs_at_once(parts.rules, parts.store),
        "zone": rules_of(parts.store).policy.timezone,
        "command": "kairos reviews",
    }


def _review(parts: ConsoleParts, call: Call) -> Values:
    subject = call.path["subject"]
    with Control(parts.store) as control:
        found = next((each for each in approvals.reviews(control, call.now) if each.subject == subject), None)
        if found is None:
            raise NotThereError(f"nothing of '{subject}' is submitted")
        submission = Approvals(control).submission(found.number)
        why_not = approvals.why_not(control, subject, call.actor, call.now)
    return {
        "review": found,
        "submission": submission,
        "why_not": why_not,
        "zone": rules_of(parts.store).policy.timezone,
        "title": subject,
        "command": f"kairos approve {shlex.quote(subject)}@{found.meaning[:12]}",
    }


def _decide(parts: ConsoleParts, call: Call) -> str:
    subject, meaning, comment = call.path["subject"], call.body.get("meaning", ""), call.body.get("comment", "")
    decisions = {"approve": approvals.approve, "reject": approvals.reject}
    decide = decisions.get(call.body.get("decision", ""))
    if decide is None or len(meaning) < 12:
        raise AskError("expected that it is approved, or rejected, as it was looked at")
    with Control(parts.store) as control:
        decide(control, subject, meaning, comment, call.actor, call.now)
    return f"/reviews/{quote(subject, safe='')}"


def _publish(parts: ConsoleParts, call: Call) -> str:
    """Of the rule folder as it is: what is not approved stands in the way."""
    proposal, files = proposal_of(parts, call.now)
    if proposal.idle:
        raise AskError("there is nothing to publish: the rule folder is as the newest release")
    expect = number_of_people(call.body.get("expect", ""))
    reach = counted(parts, proposal, call.now)
    done = publish(proposal, parts.store, files, call.actor, call.now, reach, expect)
    return f"/reviews?published={done.number}"


SCREEN = Screen("/reviews", "reviews", _reviews, ("published",), menu=True)
REVIEW = Screen("/reviews/{subject}", "review", _review)
DEEDS = (Deed("/reviews/{subject}", _decide, "look"), Deed("/releases", _publish, "publish"))
