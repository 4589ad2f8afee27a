"""Users: roles, passwords, tokens, sessions, and what happens to who guesses."""

from __future__ import annotations

from pathlib import Path

import argon2
import pytest

from kairos.adapters.control.database import Control
from kairos.adapters.control.users import Users
from kairos.usecases.control import sign_in
from kairos.usecases.control import users as usecase
from kairos.usecases.control.rights import RIGHTS, Actor, NotAllowedError
from kairos.usecases.control.sign_in import SESSION_MS, SlowDownError, by_cookie, by_password, by_token, who
from kairos.usecases.control.users import DAY
from kairos.usecases.errors import AskError, NotThereError

NOW = 1_800_000_000_000
PASSWORD = "correct horse battery"
ADMIN = Actor("ann", frozenset({"admin"}))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with next to no work."""
    for module in (sign_in, usecase):
        monkeypatch.setattr(module, "PasswordHasher", lambda: argon2.PasswordHasher(1, 8, 1))


@pytest.fixture
def control(tmp_path: Path) -> Control:
    control = Control(f"sqlite:///{tmp_path}/rules.db")
    usecase.add_user(control, "ann", ["admin"], PASSWORD, Actor("root"), NOW)
    usecase.add_user(control, "rita", ["reviewer:risk", "author"], PASSWORD, ADMIN, NOW)
    return control


def test_the_first_user_has_to_be_an_admin(tmp_path: Path) -> None:
    control = Control(f"sqlite:///{tmp_path}/rules.db")
    assert who(control, None, "root", NOW) == Actor("root")
    with pytest.raises(AskError, match="has to be an admin"):
        usecase.add_user(control, "ann", ["author"], None, Actor("root"), NOW)


def test_once_there_are_users_a_name_proves_nothing(control: Control) -> None:
    with pytest.raises(NotAllowedError, match="KAIROS_TOKEN"):
        who(control, None, "ann", NOW)
    secret = usecase.make_token(control, "rita", "ci", 30, ADMIN, NOW)
    assert who(control, secret, "ann", NOW) == Actor("rita", frozenset({"author", "reviewer:risk"}))


def test_a_token_ends_with_its_time_its_revocation_and_its_user(control: Control) -> None:
    secrets = [usecase.make_token(control, "rita", title, 30, ADMIN, NOW) for title in ("a", "b")]
    rita = by_token(control, secrets[0], NOW)
    for secret, at in ((secrets[0], NOW + 30 * DAY), ("kairos_nothing", NOW)):
        with pytest.raises(NotAllowedError):
            by_token(control, secret, at)
    (first, _) = usecase.tokens(control, rita)
    with pytest.raises(NotThereError):
        usecase.revoke_token(control, first.id, Actor("bob", frozenset({"author"})), NOW)
    usecase.revoke_token(control, first.id, rita, NOW)
    usecase.disable(control, "rita", ADMIN, NOW)
    for secret in secrets:
        with pytest.raises(NotAllowedError):
            by_token(control, secret, NOW)


def test_no_secret_is_kept_as_it_is(control: Control, tmp_path: Path) -> None:
    secret = usecase.make_token(control, "rita", "ci", 30, ADMIN, NOW)
    signed = by_password(control, "ann", PASSWORD, "::1", NOW)
    with control.read() as connection:
        kept = "\n".join(connection.connection.iterdump())  # type: ignore[attr-defined]
    assert "rita" in kept
    assert not [text for text in (secret, PASSWORD, signed.cookie) if text in kept]


def test_a_session_is_new_at_each_sign_in_and_ends_with_its_time_or_a_change_of_rights(control: Control) -> None:
    one, two = (by_password(control, "rita", PASSWORD, "::1", NOW) for _ in range(2))
    assert one.cookie != two.cookie
    assert by_cookie(control, one.cookie, NOW) == one
    assert by_cookie(control, one.cookie, NOW + SESSION_MS) is None
    sign_in.sign_out(control, one.cookie)
    assert by_cookie(control, one.cookie, NOW) is None
    usecase.set_roles(control, "rita", ["viewer"], ADMIN, NOW)
    assert by_cookie(control, two.cookie, NOW) is None


def test_who_guesses_waits_longer_and_longer_whoever_is_tried_and_wherever_from(control: Control) -> None:
    def fails(name: str, address: str, at: int) -> type[Exception]:
        with pytest.raises(NotAllowedError) as raised:
            by_password(control, name, "wrong", address, at)
        return raised.type

    for n in range(5):
        assert fails("ann", f"10.0.0.{n}", NOW) is NotAllowedError
    assert fails("ann", "10.0.0.9", NOW) is SlowDownError
    with pytest.raises(SlowDownError):
        by_password(control, "ann", PASSWORD, "10.0.0.9", NOW + 1_999)
    assert by_password(control, "ann", PASSWORD, "10.0.0.9", NOW + 2_000).actor.name == "ann"
    for n in range(5):
        assert fails(f"nobody{n}", "10.0.1.1", NOW) is NotAllowedError
    assert fails("rita", "10.0.1.1", NOW) is SlowDownError


def test_a_wrong_name_and_a_wrong_password_are_told_alike(control: Control) -> None:
    said = set()
    for name in ("ann", "nobody"):
        with pytest.raises(NotAllowedError) as raised:
            by_password(control, name, "wrong", "::1", NOW)
        said.add(str(raised.value))
    assert said == {"the name or the password is wrong"}


def test_who_has_no_password_does_not_come_in_by_any(control: Control) -> None:
    usecase.add_user(control, "otto", ["operator"], None, ADMIN, NOW)
    for password in ("", "x" * 50):
        with pytest.raises(NotAllowedError):
            by_password(control, "otto", password, "::1", NOW)


def test_only_an_admin_changes_users_and_one_admin_remains(control: Control) -> None:
    rita = Actor("rita", frozenset({"author"}))
    for attempt in (
        lambda: usecase.add_user(control, "bob", ["admin"], None, rita, NOW),
        lambda: usecase.set_roles(control, "rita", ["admin"], rita, NOW),
        lambda: usecase.set_password(control, "ann", PASSWORD, rita, NOW),
        lambda: usecase.make_token(control, "ann", "", 1, rita, NOW),
        lambda: usecase.disable(control, "ann", rita, NOW),
    ):
        with pytest.raises(NotAllowedError):
            attempt()
    for attempt in (
        lambda: usecase.set_roles(control, "ann", ["viewer"], ADMIN, NOW),
        lambda: usecase.disable(control, "ann", ADMIN, NOW),
    ):
        with pytest.raises(AskError, match="ann is the last admin"):
            attempt()
    assert {user.name: user.roles for user in Users(control).all()} == {"ann": "admin", "rita": "author reviewer:risk"}


SHORT = ("x", "viewer", "short")


@pytest.mark.parametrize(
    ("name", "role", "password"),
    [("a b", "viewer", None), ("", "viewer", None), ("x", "boss", None), ("x", "reviewer", None), SHORT],
)
def test_what_cannot_be_is_refused(control: Control, name: str, role: str, password: str | None) -> None:
    with pytest.raises(AskError):
        usecase.add_user(control, name, [role], password, ADMIN, NOW)


def test_no_role_but_a_reviewer_reviews() -> None:
    assert not [role for role in RIGHTS if Actor("x", frozenset({role})).reviews("risk")]
    assert Actor("x", frozenset({"reviewer:risk"})).reviews("risk")
    assert not Actor("x", frozenset({"reviewer:risk"})).reviews("legal")
