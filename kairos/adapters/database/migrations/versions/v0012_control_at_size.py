"""Indexes for what is asked often, and the pauses of `stop_if` from before there was a switch, as turns of it."""

import time

import sqlalchemy as sql
from alembic import op

from kairos.adapters.database.audit_log import Deed, append, next_number
from kairos.adapters.database.migrations.steps import add_index

revision = "0012"
down_revision = "0011"

_TEXT, _NUMBER = sql.Text(), sql.BigInteger()
_PAUSED = sql.table("schedule_activities", sql.column("activity", _TEXT), sql.column("paused", _TEXT))
_STATES = sql.table(
    "activity_states",
    *(sql.column(name, _NUMBER) for name in ("number", "since")),
    *(sql.column(name, _TEXT) for name in ("activity", "state", "by", "reason")),
)


def upgrade() -> None:
    add_index("activity_states_by_activity", "activity_states", "activity")
    add_index("api_tokens_by_secret", "api_tokens", "secret")
    connection, now = op.get_bind(), time.time_ns() // 1_000_000
    turned = sql.select(_STATES.c.activity)
    paused = sql.select(_PAUSED).where(_PAUSED.c.paused.is_not(None), _PAUSED.c.activity.not_in(turned))
    for activity, why in connection.execute(paused.order_by(_PAUSED.c.activity)).all():
        row = {"activity": activity, "state": "paused", "since": now, "by": "scheduler", "reason": why}
        row["number"] = next_number(connection)
        append(connection, Deed("scheduler", "pause", f"activity/{activity}", now), None, row)
        connection.execute(_STATES.insert(), row)
