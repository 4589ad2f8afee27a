"""What the control database does, whatever it is: run by tests of SQLite and of MariaDB."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from kairos.adapters.control.activity_states import ActivityStates
from kairos.adapters.control.approvals import Approvals, Asked, Submission
from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog, Deed
from kairos.adapters.control.users import Users
from kairos.adapters.rules.store import RuleStoreError
from kairos.usecases.control import users
from kairos.usecases.control.approvals import approve
from kairos.usecases.control.rights import Actor, NotAllowedError
from kairos.usecases.control.sign_in import by_cookie, by_password
from kairos.usecases.control.verify import verify
from kairos.usecases.errors import AskError

NOW = 1_800_000_000_000
WRITERS, EACH = 4, 5


def check_the_chain_holds_whoever_writes_at_once(address: str) -> None:
    def write(writer: int) -> None:
        with Control(address) as control:
            for n in range(EACH):
                ActivityStates(control).turn([f"a{writer}_{n}"], "paused", f"w{writer}", "because", NOW)

    Control(address).write(lambda _connection: None)  # the tables
    with ThreadPoolExecutor(WRITERS) as together:
        list(together.map(write, range(WRITERS)))
    found = verify(address)
    assert (found.entries, found.problems) == (WRITERS * EACH, [])
    assert ActivityStates(Control(address)).read().number == WRITERS * EACH


def check_a_vote_is_given_once(address: str) -> None:
    """Two slots, four who would take one: two get it."""

    def vote(name: str) -> bool:
        with Control(address) as control:
            try:
                approve(control, "a", None, "ok", Actor(name, frozenset({"reviewer:risk"})), NOW)
            except (AskError, NotAllowedError):
                return False
        return True

    key = ("a", "m" * 64, "p" * 64)
    asked = Asked("risk", '{"by":"risk","quorum":2}', 2)
    Approvals(Control(address)).submit(key, [asked], Submission(["x"]), Deed("ann", "submit", "", NOW))
    with ThreadPoolExecutor(4) as together:
        given = list(together.map(vote, ["bob", "eve", "rob", "ulf"]))
    assert sum(given) == 2
    assert len({each.decided_by for each in Approvals(Control(address)).all()}) == 2
    assert verify(address).problems == []


def check_users_sign_in_and_out(address: str) -> None:
    with Control(address) as control:
        users.add_user(control, "Ann", ["admin"], "correct horse battery", Actor("setup"), NOW)
        assert Users(control).find("ann") is None
        signed = by_password(control, "Ann", "correct horse battery", "::1", NOW)
        assert by_cookie(control, signed.cookie, NOW) == signed
        users.set_password(control, "Ann", "another horse battery", signed.actor, NOW)
        assert by_cookie(control, signed.cookie, NOW) is None
        assert [entry.action for entry in AuditLog(control).entries()][-3:] == ["add_user", "sign_in", "set_password"]
    assert verify(address).problems == []


def check_what_was_read_before_somebody_else_changed_it_is_not_written(address: str) -> None:
    with Control(address) as control:
        user = users.add_user(control, "ann", ["admin"], None, Actor("setup"), NOW)
        for name in ("bob", "eve"):
            users.add_user(control, name, ["admin"], None, Actor("ann", frozenset({"admin"})), NOW)
        Users(control).change(user, Deed("bob", "set_roles", "user/ann", NOW), roles="viewer")
        with pytest.raises(RuleStoreError, match="somebody else has changed it"):
            Users(control).change(user, Deed("eve", "set_roles", "user/ann", NOW), roles="author")
        assert Users(control).find("ann").roles == "viewer"  # type: ignore[union-attr]
    assert verify(address).problems == []


CHECKS = (
    check_what_was_read_before_somebody_else_changed_it_is_not_written,
    check_the_chain_holds_whoever_writes_at_once,
    check_a_vote_is_given_once,
    check_users_sign_in_and_out,
)
