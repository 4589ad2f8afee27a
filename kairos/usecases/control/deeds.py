"""What people do to things that stand in no table of the rule store, as entries of its log."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog, Deed
from kairos.adapters.database.audit_log import Entry
from kairos.usecases.control.rights import Actor, Right


def note(
    store: str | None, actor: Actor, action: str, subject: str, now: int, after: Mapping[str, Any] | None = None
) -> None:
    """`store`: of the rules; None, and a folder that is not there, have no log. `action`: none of those that have rows,
    as `pause`. `after`: what there is now. Raises RuleStoreError."""
    if store is None or ("://" not in store and not Path(store).is_dir()):
        return
    with Control(store) as control:
        AuditLog(control).note(Deed(actor.name, action, subject, now), dict(after) if after is not None else None)


def begin(store: str | None, actor: Actor, right: Right, action: str, subject: str, now: int) -> None:
    """Before somebody writes or sends: whether they may, and that they do. What cannot be noted is not done. `subject`
    names nobody by their id. Raises NotAllowedError, RuleStoreError."""
    actor.need(right)
    note(store, actor, action, subject, now)


def write_people(store: str | None, actor: Actor, action: str, subject: str, now: int) -> None:
    """`begin` of what is known of people."""
    begin(store, actor, "write", action, subject, now)


def person_subject(user_id: str) -> str:
    """A person as a subject of the log, which forgets nothing: who knows the id finds her, and nobody learns it."""
    return f"person/{hashlib.sha256(user_id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def deeds(store: str, subject: str) -> Sequence[Entry]:
    """What was done to `subject`, the newest first. Raises RuleStoreError."""
    with Control(store) as control:
        return AuditLog(control).entries(subject)[::-1]
