"""Who somebody is: by password, by token, by session. Whoever guesses is made to wait."""

from __future__ import annotations

import secrets

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog, Deed
from kairos.adapters.control.users import Failures, Session, User, Users
from kairos.usecases.control.rights import Actor, NotAllowedError, roles_of
from kairos.usecases.control.users import LONGEST_PASSWORD, digest

SESSION_MS = 12 * 3_600_000
FREE_FAILURES = 5
"""So many in a row cost nothing; each one after that doubles the wait."""
FIRST_WAIT, LONGEST_WAIT = 2_000, 900_000
_NOBODY = PasswordHasher().hash(secrets.token_hex(16))
"""What is asked where there is no such user, so that the time taken does not tell."""


class SignedIn(msgspec.Struct, frozen=True):
    """`cookie`: what the browser keeps, and nobody else. `csrf`: what its pages say with each change."""

    actor: Actor
    cookie: str
    csrf: str


class SlowDownError(NotAllowedError):
    """Too many have failed; `wait`: ms until it may be tried again."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"too many attempts have failed: wait {(wait + 999) // 1000} s")
        self.wait = wait


def by_password(control: Control, name: str, password: str, address: str, now: int) -> SignedIn:
    """`address`: from where it is tried. Raises NotAllowedError, SlowDownError, RuleStoreError."""
    known, subjects = Users(control), (f"user {name[:100]}", f"from {address[:100]}")
    before = {subject: known.failures(subject) for subject in subjects}
    wait = max(failures.until - now for failures in before.values())
    if wait > 0:
        raise SlowDownError(wait)
    user = known.find(name)
    right = _matches(user.password if user is not None else None, password)
    if user is None or user.disabled or not right:
        for subject, failures in before.items():
            known.keep_failures(subject, _after(failures, now))
        raise NotAllowedError("the name or the password is wrong")
    for subject in subjects:
        known.keep_failures(subject, Failures())
    return begin(control, user, now)


def by_name(control: Control, name: str, now: int) -> SignedIn:
    """Of whom somebody else vouches, as an OIDC provider does. Raises NotAllowedError."""
    user = Users(control).find(name)
    if user is None or user.disabled:
        raise NotAllowedError(f"there is no user '{name}' here; an admin adds one: kairos users add")
    return begin(control, user, now)


def begin(control: Control, user: User, now: int) -> SignedIn:
    """Always a new session, whatever the browser had before."""
    cookie, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    Users(control).begin(Session(digest(cookie), user.name, csrf, now + SESSION_MS), now)
    AuditLog(control).note(Deed(user.name, "sign_in", f"user/{user.name}", now))
    return SignedIn(Actor(user.name, roles_of(user.roles)), cookie, csrf)


def by_cookie(control: Control, cookie: str, now: int) -> SignedIn | None:
    """None: it is over, or never was."""
    session = Users(control).session(digest(cookie))
    user = Users(control).find(session.user) if session is not None and session.expires_at > now else None
    if session is None or user is None or user.disabled:
        return None
    return SignedIn(Actor(user.name, roles_of(user.roles)), cookie, session.csrf)


def sign_out(control: Control, cookie: str) -> None:
    Users(control).end(digest(cookie))


def by_token(control: Control, secret: str, now: int) -> Actor:
    """Raises NotAllowedError."""
    token = Users(control).find_token(digest(secret))
    user = Users(control).find(token.user) if token is not None else None
    if token is None or token.revoked or token.expires_at <= now or user is None or user.disabled:
        raise NotAllowedError("the token is unknown, revoked, or too old")
    return Actor(user.name, roles_of(user.roles))


def who(control: Control, token: str | None, author: str, now: int) -> Actor:
    """Whoever gives a command. Once a store has users, a name alone proves nothing. Raises NotAllowedError."""
    if not Users(control).all():
        return Actor(author)
    if token is None:
        raise NotAllowedError("the rule store has users: show who you are with a token (KAIROS_TOKEN)")
    return by_token(control, token, now)


def _matches(encoded: str | None, password: str) -> bool:
    try:
        return PasswordHasher().verify(encoded or _NOBODY, password[:LONGEST_PASSWORD]) and encoded is not None
    except (VerificationError, InvalidHashError):
        return False


def _after(failures: Failures, now: int) -> Failures:
    number = failures.failures + 1
    wait = min(FIRST_WAIT << max(0, number - FREE_FAILURES), LONGEST_WAIT) if number >= FREE_FAILURES else 0
    return Failures(number, now + wait)
