"""`kairos users`: who there is, what they may do, and the tokens of those who are programs."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence

from argon2 import PasswordHasher

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import Deed
from kairos.adapters.control.users import Token, User, Users
from kairos.usecases.control.rights import Actor, roles_of, wrong_roles
from kairos.usecases.errors import AskError, NotThereError

DAY = 86_400_000
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 1_000
PREFIX = "kairos_"
"""Of every token, so that scanners for secrets find it."""
_NAME = re.compile(r"[^\s/]{1,100}")


def users(control: Control) -> Sequence[User]:
    """By name. Raises RuleStoreError, as all here."""
    return Users(control).all()


def add_user(control: Control, name: str, roles: Iterable[str], password: str | None, actor: Actor, now: int) -> User:
    """The first user has to be an admin, else nobody could ever add another.

    Raises AskError for names, roles and passwords that cannot be; NotAllowedError.
    """
    known, wanted = Users(control), frozenset(roles)
    if known.all():
        actor.need("administer")
    elif "admin" not in wanted:
        raise AskError("the first user has to be an admin: --role admin")
    if not _NAME.fullmatch(name):
        raise AskError(f"'{name}' is no user's name: expected 1 to 100 characters without blanks and slashes")
    if known.find(name) is not None:
        raise AskError(f"there is a user '{name}' already")
    _check(wanted)
    user = User(name, hashed(password) if password is not None else None, " ".join(sorted(wanted)), False, now)
    known.add(user, Deed(actor.name, "add_user", f"user/{name}", now))
    return user


def set_roles(control: Control, name: str, roles: Iterable[str], actor: Actor, now: int) -> None:
    """Changes somebody's roles; their sessions end. Raises AskError, NotThereError, NotAllowedError."""
    actor.need("administer")
    wanted = frozenset(roles)
    _check(wanted)
    user = _found(control, name)
    if "admin" in roles_of(user.roles) and "admin" not in wanted:
        _keep_an_admin(control, name)
    deed = Deed(actor.name, "set_roles", f"user/{name}", now)
    Users(control).change(user, deed, roles=" ".join(sorted(wanted)))


def set_password(control: Control, name: str, password: str, actor: Actor, now: int) -> None:
    """Changes one's own password, or as an admin anybody's; their sessions end. Raises AskError, NotThereError,
    NotAllowedError."""
    if actor.name != name or actor.roles is None:
        actor.need("administer")
    deed = Deed(actor.name, "set_password", f"user/{name}", now)
    Users(control).change(_found(control, name), deed, password=hashed(password))


def disable(control: Control, name: str, actor: Actor, now: int) -> None:
    """Lets nobody sign in under this name any more. Raises AskError, NotThereError, NotAllowedError."""
    actor.need("administer")
    user = _found(control, name)
    if "admin" in roles_of(user.roles):
        _keep_an_admin(control, name)
    Users(control).change(user, Deed(actor.name, "disable_user", f"user/{name}", now), disabled=True)


def make_token(control: Control, name: str, title: str, days: int, actor: Actor, now: int) -> str:
    """A new token, for oneself or as an admin for anybody: the one time that it is shown, only its hash is kept. Raises
    NotThereError, NotAllowedError."""
    if actor.name != name or actor.roles is None:
        actor.need("administer")
    _found(control, name)
    secret = PREFIX + secrets.token_urlsafe(32)
    token = Token(secrets.token_hex(8), name, digest(secret), title[:190], now, now + days * DAY, False)
    Users(control).add_token(token, Deed(actor.name, "make_token", f"token/{token.id}", now))
    return secret


def revoke_token(control: Control, id: str, actor: Actor, now: int) -> None:
    """Takes a token back. Raises NotAllowedError, and NotThereError to whom it does not belong."""
    token = next((token for token in Users(control).tokens() if token.id == id), None)
    if token is None or not (token.user == actor.name or actor.may("administer")):
        raise NotThereError(f"there is no token '{id}'")
    Users(control).revoke(token, Deed(actor.name, "revoke_token", f"token/{id}", now))


def tokens(control: Control, actor: Actor) -> list[Token]:
    """One's own tokens; an admin sees all."""
    return [token for token in Users(control).tokens() if token.user == actor.name or actor.may("administer")]


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def hashed(password: str) -> str:
    """The password as Argon2 keeps it. Raises AskError for one that is too weak."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise AskError(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD:,} characters")
    return PasswordHasher().hash(password)


def _check(roles: frozenset[str]) -> None:
    if wrong := wrong_roles(roles):
        expected = "viewer, author, operator, admin, or reviewer:STEP"
        raise AskError(f"there is no role {', '.join(wrong)}: expected {expected}")


def _found(control: Control, name: str) -> User:
    user = Users(control).find(name)
    if user is None:
        raise NotThereError(f"there is no user '{name}'")
    return user


def _keep_an_admin(control: Control, name: str) -> None:
    others = [user for user in Users(control).all() if user.name != name and not user.disabled]
    if not any("admin" in roles_of(user.roles) for user in others):
        raise AskError(f"{name} is the last admin")
