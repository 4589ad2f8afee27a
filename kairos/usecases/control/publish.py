"""The writing of a release: only of what everybody has agreed to who has to, or in an emergency."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog, Deed
from kairos.adapters.rules.store import RuleStoreError, open_rule_store
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import encode
from kairos.usecases.control.approvals import Standing, standings, submit
from kairos.usecases.control.emergencies import Emergency, foresee_pause, settle
from kairos.usecases.control.reach import Reach, need_expected
from kairos.usecases.control.rights import Actor, NotAllowedError
from kairos.usecases.errors import AskError, ChangedError
from kairos.usecases.rules.publish import Proposal
from kairos.usecases.scheduler.foresee import blasts_in


class NotApprovedError(NotAllowedError):
    """`standings`: of what is not approved."""

    def __init__(self, found: Sequence[Standing]) -> None:
        told = (f"{each.subject.name} is {each.state}, and needs {', '.join(each.missing)}" for each in found)
        super().__init__("\n".join(["not approved", *(f"  {line}" for line in told)]))
        self.standings = tuple(found)


class Published(msgspec.Struct, frozen=True):
    """`pausing`: activities that pause by themselves, unless somebody approves within a day."""

    number: int
    pausing: tuple[str, ...] = ()


def publish(
    proposal: Proposal,
    store: str,
    files: Mapping[str, bytes] | None,
    actor: Actor,
    now: int,
    reach: Reach,
    expect: int | None = None,
    emergency: str | None = None,
) -> Published:
    """Writes the release that was proposed. `files`: the rule folder that it was made of; None: a release of old, as it
    was. `reach`: whom its calendars reach; `expect`: how many its blasts are to. `emergency`: why it goes out although
    it is not approved.

    Raises NotAllowedError, NotApprovedError; AskError where the plan speaks against it, NotExpectedError where it would
    reach others; ChangedError where the files have other rules by now; RuleStoreError, also where somebody else was
    first.
    """
    actor.need("publish" if emergency is None else "emergency")
    release = proposal.change.release
    if proposal.change.refusals:
        raise AskError("\n".join(["not published", *(f"  {refusal}" for refusal in proposal.change.refusals)]))
    if files is not None and load(files).rules != release.rules:
        raise ChangedError("the rules were changed meanwhile: look at the new plan first")
    if files is None and "://" not in store:
        raise RuleStoreError(f"the rule folder {store} keeps no releases: take its files from where they are versioned")
    need_expected(reach.of(blasts_in(proposal.before, proposal.after)), expect)
    with Control(store) as control:
        counted = reach.people
        missing = [each for each in standings(control, proposal, counted, now) if each.state != "approved"]
        if missing and emergency is None:
            raise NotApprovedError(missing)
        if missing and emergency is not None:
            submit(control, proposal, counted, actor, now, Emergency(release.number, emergency))
            AuditLog(control).note(Deed(actor.name, "emergency", f"release/{release.number}", now))
        pausing = _touched(missing, release.rules)
        if pausing:  # before the release: whatever this process dies of, nothing runs on unapproved
            foresee_pause(control, release.number, pausing, actor, now)
        try:
            open_rule_store(store).publish(release, files or {}, actor.name)
        except RuleStoreError:
            settle(control, now, failed=release.number)
            raise
        deed = Deed(actor.name, "publish", f"release/{release.number}", now)
        AuditLog(control).note(deed, content_of(encode(release)))
        settle(control, now)
    return Published(release.number, pausing)


def content_of(body: bytes) -> dict[str, str]:
    """What the log holds of a release, to tell it from any other."""
    return {"sha256": hashlib.sha256(body).hexdigest()}


def _touched(missing: Sequence[Standing], rules: RuleSet) -> tuple[str, ...]:
    """What all have in common touches all."""
    wholes = {journey_of(name) for name in rules.activities}
    named = {each.subject.name for each in missing}
    return tuple(sorted(named & wholes if named <= wholes else wholes))
