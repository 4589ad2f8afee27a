"""The tables of the control database, beside those of the releases. Every write goes with an entry of the log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sql
from sqlalchemy.dialects import mysql

from kairos.adapters.database.column_types import NAME, TEXT

METADATA = sql.MetaData()

ACTIVITY_STATES = sql.Table(
    "activity_states",
    METADATA,
    # A row is one turn of the switch, and is never changed; the newest of an activity is how it stands. `number`: that
    # of its entry in the log. `state`: live | paused | ended. `since`: event time (epoch ms).
    sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("activity", NAME, nullable=False),
    sql.Column("state", sql.String(16), nullable=False),
    sql.Column("since", sql.BigInteger, nullable=False),
    sql.Column("by", NAME, nullable=False),
    sql.Column("reason", TEXT, nullable=False),
    sql.Index("activity_states_by_activity", "activity"),
)

USERS = sql.Table(
    "users",
    METADATA,
    # `password`: Argon2's encoded hash; null: signs in elsewhere (OIDC), or works with tokens only. `roles`: separated
    # by blanks.
    sql.Column("name", NAME, primary_key=True),
    sql.Column("password", sql.String(200)),
    sql.Column("roles", TEXT, nullable=False),
    sql.Column("disabled", sql.Boolean, nullable=False),
    sql.Column("created_at", sql.BigInteger, nullable=False),
)

API_TOKENS = sql.Table(
    "api_tokens",
    METADATA,
    # `secret`: SHA-256 of what the bearer shows; nobody can guess it, so a slow hash would add nothing.
    sql.Column("id", sql.String(16), primary_key=True),
    sql.Column("user", NAME, nullable=False),
    sql.Column("secret", sql.String(64), nullable=False),
    sql.Column("title", sql.String(190), nullable=False),
    sql.Column("created_at", sql.BigInteger, nullable=False),
    sql.Column("expires_at", sql.BigInteger, nullable=False),
    sql.Column("revoked", sql.Boolean, nullable=False),
    sql.Index("api_tokens_by_secret", "secret"),
)

SESSIONS = sql.Table(
    "sessions",
    METADATA,
    # `id`: SHA-256 of what the cookie holds. `csrf`: what a page has to say besides.
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("user", NAME, nullable=False),
    sql.Column("csrf", sql.String(64), nullable=False),
    sql.Column("expires_at", sql.BigInteger, nullable=False),
)

SIGN_IN_FAILURES = sql.Table(
    "sign_in_failures",
    METADATA,
    # By user, and by address from where it was tried. Until `until` nothing more is tried.
    sql.Column("subject", NAME, primary_key=True),
    sql.Column("failures", sql.Integer, nullable=False),
    sql.Column("until", sql.BigInteger, nullable=False),
)

APPROVALS = sql.Table(
    "approvals",
    METADATA,
    # A row is one vote that is asked for, or was given. `number`: that of the entry in the log with which it began.
    # `meaning_hash`, `plan_hash`: what it is about; `policy`: what the step asked for. `decision`: approved | rejected.
    sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("subject", NAME, nullable=False),
    sql.Column("meaning_hash", sql.String(64), nullable=False),
    sql.Column("plan_hash", sql.String(64), nullable=False),
    sql.Column("step", sql.String(100), nullable=False),
    sql.Column("policy", TEXT, nullable=False),
    sql.Column("requested_by", NAME, nullable=False),
    sql.Column("requested_at", sql.BigInteger, nullable=False),
    sql.Column("decision", sql.String(16)),
    sql.Column("decided_by", NAME),
    sql.Column("decided_at", sql.BigInteger),
    sql.Column("comment", TEXT),
    sql.Column("expires_at", sql.BigInteger, nullable=False),
    sql.Index("approvals_by_subject", "subject"),
)

SUBMISSIONS = sql.Table(
    "submissions",
    METADATA,
    # What was submitted under `number`, that of its first vote: the plan in words. `emergency`: the release by which it
    # was published before anybody had approved it.
    sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
    sql.Column("emergency", sql.BigInteger),
    sql.Column("body", sql.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=False),
)

SUBJECTS: Mapping[sql.Table, Callable[[Mapping[str, Any]], str]] = {
    ACTIVITY_STATES: lambda row: f"activity/{row['activity']}",
    USERS: lambda row: f"user/{row['name']}",
    API_TOKENS: lambda row: f"token/{row['id']}",
    APPROVALS: lambda row: f"approval/{row['number']}",
}
"""Tables whose every row is what the log says of it -> the subject of its entries."""
