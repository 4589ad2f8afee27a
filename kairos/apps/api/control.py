"""Activities, reviews, releases, users."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from kairos.adapters.control import webhook
from kairos.adapters.control.approvals import Approvals
from kairos.adapters.control.database import Control
from kairos.apps.api.endpoint import Call, Endpoint, Parts
from kairos.apps.inputs.people import everyone
from kairos.engine.rule.changes.semantic_diff import Difference
from kairos.engine.rule.changes.switch import Position
from kairos.engine.rule.finding import Finding
from kairos.engine.rule.load import Loaded
from kairos.usecases.control import activities as seen
from kairos.usecases.control import approvals, files, history, users
from kairos.usecases.control.activities import ActivityState
from kairos.usecases.control.advance import asking
from kairos.usecases.control.approvals import Reviewed, Standing
from kairos.usecases.control.forecast import backtest_of, forecast_of
from kairos.usecases.control.history import Happened
from kairos.usecases.control.publish import Published, publish
from kairos.usecases.control.reach import Reach, reach_of
from kairos.usecases.control.switch import Turned, Which, turn
from kairos.usecases.errors import NotThereError
from kairos.usecases.rules.publish import Proposal, propose, standing

Text = Annotated[str, Meta(max_length=4_000)]
People = Annotated[int, Meta(ge=0, lt=10**12)]
Files = Annotated[dict[str, str], Meta(description="The rule folder: path -> text.")]


class Switch(msgspec.Struct, forbid_unknown_fields=True):
    """Exactly one of `activities`, `theme` and `all`."""

    reason: Text = ""
    activities: list[str] = []
    theme: str | None = None
    all: bool = False


class Decision(msgspec.Struct, forbid_unknown_fields=True):
    """`meaning`: the hash of what was looked at, or its beginning."""

    meaning: Annotated[str, Meta(min_length=12, max_length=64)]
    comment: Text = ""


class Rules(msgspec.Struct, forbid_unknown_fields=True):
    """`backtest` false: reviewers are not told what it would have done in the last 30 days."""

    files: Files
    backtest: bool = True


class Publication(msgspec.Struct, forbid_unknown_fields=True):
    """`expect`: how many people what goes to many at once is to reach. `emergency`: why it goes out unapproved."""

    files: Files
    expect: People | None = None
    emergency: Text | None = None


class Rollback(msgspec.Struct, forbid_unknown_fields=True):
    """As of a publication."""

    expect: People | None = None
    emergency: Text | None = None


class Submitted(msgspec.Struct):
    standings: list[Standing]
    findings: list[Finding]


class Review(msgspec.Struct):
    """`plan`: what would change, `forecast`: what is expected of it, a line each."""

    review: Reviewed
    plan: list[str]
    forecast: list[str]


class Release(msgspec.Struct):
    number: int
    published_at: int
    author: str
    activities: list[str]


class UserView(msgspec.Struct):
    """Never a password, nor its hash."""

    name: str
    roles: list[str]
    disabled: bool


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    roles: list[str]
    password: str | None = None


class Roles(msgspec.Struct, forbid_unknown_fields=True):
    roles: list[str]


def _turning(state: Position, says: str) -> Endpoint:
    def does(parts: Parts, call: Call) -> list[Turned]:
        said: Switch = call.body
        which = Which(said.activities, said.theme, said.all)
        return turn(parts.store, which, state, call.actor, said.reason, call.now)

    verb = {"paused": "pause", "live": "resume", "ended": "end"}[state]
    return Endpoint("POST", f"/{verb}", says, does, list[Turned], Switch, right="switch")


def _review(parts: Parts, call: Call) -> Review:
    with Control(parts.store) as control:
        for each in approvals.reviews(control, call.now):
            if each.subject == call.path["subject"]:
                submission = Approvals(control).submission(each.number)
                return Review(each, submission.plan, submission.forecast)
    raise NotThereError(f"nothing of '{call.path['subject']}' is submitted")


def _reviews(parts: Parts, call: Call) -> list[Reviewed]:
    with Control(parts.store) as control:
        return approvals.reviews(control, call.now, asking(webhook.ask))


def _decide(verb: str, says: str) -> Endpoint:
    decide = approvals.approve if verb == "approve" else approvals.reject

    def does(parts: Parts, call: Call) -> Reviewed:
        said: Decision = call.body
        with Control(parts.store) as control:
            return decide(control, call.path["subject"], said.meaning, said.comment, call.actor, call.now)

    return Endpoint("POST", f"/reviews/{{subject}}/{verb}", says, does, Reviewed, Decision)


def _proposal(parts: Parts, call: Call) -> tuple[Proposal, dict[str, bytes], Loaded]:
    found = files.checked_files(call.body.files)
    rules, loaded = files.valid(found, call.now)
    return propose(standing(parts.store), rules, call.now, accept_cold=True), found, loaded


def _submit(parts: Parts, call: Call) -> Submitted:
    proposal, _, loaded = _proposal(parts, call)
    history = parts.warehouse if call.body.backtest else None
    forecast = forecast_of(lambda: backtest_of(proposal, history, parts.store, loaded.measures))
    reach = counted(parts, proposal, call.now)
    with Control(parts.store) as control:
        found = approvals.submit(control, proposal, reach.people, call.actor, call.now, forecast=forecast)
    return Submitted(found, loaded.findings)


def _publish(parts: Parts, call: Call) -> Published:
    call.actor.need("publish" if call.body.emergency is None else "emergency")
    proposal, found, _ = _proposal(parts, call)
    return _written(parts, call, proposal, found)


def _rollback(parts: Parts, call: Call) -> Published:
    call.actor.need("publish" if call.body.emergency is None else "emergency")
    rules = history.release(parts.store, _number(call, "number")).rules
    return _written(parts, call, propose(standing(parts.store), rules, call.now, accept_cold=True), None)


def _written(parts: Parts, call: Call, proposal: Proposal, found: dict[str, bytes] | None) -> Published:
    reach = counted(parts, proposal, call.now)
    return publish(proposal, parts.store, found, call.actor, call.now, reach, call.body.expect, call.body.emergency)


def counted(parts: Parts, proposal: Proposal, now: int) -> Reach:
    """Whom its calendars reach, by the profiles of the configuration."""
    return reach_of(proposal.before, proposal.after, lambda: everyone(None, parts.conf), now)


def _releases(parts: Parts, call: Call) -> list[Release]:
    rows = history.releases(parts.store)
    names = [sorted(row.release.rules.activities) if row.release is not None else [] for row in rows]
    return [Release(row.number, row.published_at, row.author, each) for row, each in zip(rows, names, strict=True)]


def _diff(parts: Parts, call: Call) -> list[Difference]:
    return history.diff(parts.store, _number(call, "one"), _number(call, "other"))


def _users(parts: Parts, call: Call) -> list[UserView]:
    with Control(parts.store) as control:
        return [UserView(user.name, user.roles.split(), user.disabled) for user in users.users(control)]


def _add_user(parts: Parts, call: Call) -> UserView:
    said: NewUser = call.body
    with Control(parts.store) as control:
        user = users.add_user(control, said.name, said.roles, said.password, call.actor, call.now)
    return UserView(user.name, user.roles.split(), user.disabled)


def _set_roles(parts: Parts, call: Call) -> UserView:
    with Control(parts.store) as control:
        users.set_roles(control, call.path["name"], call.body.roles, call.actor, call.now)
    return UserView(call.path["name"], sorted(set(call.body.roles)), False)


def _number(call: Call, name: str) -> int:
    text = call.path[name]
    if not text.isdecimal() or len(text) > 9:
        raise NotThereError(f"'{text[:20]}' is no number of a release")
    return int(text)


ENDPOINTS = (
    Endpoint("GET", "/activities", "Every activity and journey of the newest release, and how it stands.",
             lambda parts, call: seen.activities(parts.store, call.now), list[ActivityState]),
    Endpoint("GET", "/activities/{name}", "One of them.",
             lambda parts, call: seen.activity(parts.store, call.path["name"], call.now), ActivityState),
    Endpoint("GET", "/activities/{name}/history", "What became of it: submitted, approved, published, paused.",
             lambda parts, call: history.history(parts.store, call.path["name"]), list[Happened]),
    _turning("paused", "Let nothing of activities go out any more, within seconds."),
    _turning("live", "Let activities go on that were paused."),
    _turning("ended", "End activities for good."),
    Endpoint("POST", "/submissions", "Lint, test and submit a rule folder; asks those to agree who have to.",
             _submit, Submitted, Rules, right="write"),
    Endpoint("GET", "/reviews", "The newest submission of everything, those that wait first.",
             _reviews, list[Reviewed]),
    Endpoint("GET", "/reviews/{subject}", "One of them, with all that would change.", _review, Review),
    _decide("approve", "Agree to what was submitted, in the step whose turn it is."),
    _decide("reject", "Send back what was submitted; the comment says why."),
    Endpoint("GET", "/releases", "What was published, when and by whom.", _releases, list[Release]),
    Endpoint("POST", "/releases", "Publish a rule folder: what is approved, or in an emergency.",
             _publish, Published, Publication),
    Endpoint("POST", "/releases/{number}/rollback", "Publish the content of an earlier release again.",
             _rollback, Published, Rollback),
    Endpoint("GET", "/releases/{one}/diff/{other}", "What differs between two releases, field by field.",
             _diff, list[Difference]),
    Endpoint("GET", "/users", "Who there is, and what they may.", _users, list[UserView], right="administer"),
    Endpoint("POST", "/users", "Add a user.", _add_user, UserView, NewUser, right="administer"),
    Endpoint("PUT", "/users/{name}/roles", "Give a user these roles; their sessions end.",
             _set_roles, UserView, Roles, right="administer"),
)  # fmt: skip
