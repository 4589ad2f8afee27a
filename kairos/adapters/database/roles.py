"""What each process may do in the database: no more than its work takes. Tables are made by their owner alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kairos.adapters.database.migrations import VERSION_TABLE

_READ = "SELECT"
_ADD = "SELECT, INSERT"
_KEEP = "SELECT, INSERT, UPDATE"
_USERS = {"users": _READ, "api_tokens": _READ}
_CONTROL = {"activity_states": _ADD, "audit_log": _ADD}
_OF_PEOPLE = {
    **_CONTROL,
    "approvals": _KEEP,
    "submissions": _ADD,
    "users": _KEEP,
    "api_tokens": _KEEP,
    "sessions": "SELECT, INSERT, DELETE",
    "sign_in_failures": "SELECT, INSERT, DELETE",
}
_SOURCES = {"sources": _READ, "source_keys": _READ}

ROLES: Mapping[str, Mapping[str, str]] = {
    "job": {"rule_releases": _READ, "activity_states": _READ, **_SOURCES, "engine_leases": _KEEP},
    "gateway": _SOURCES,
    "worker": {
        "rule_releases": _READ,
        "activity_states": _READ,
        "delivery_ledger": _KEEP,
        "delivery_calls": _KEEP,
        "delivery_channels": _KEEP,
        "delivery_workers": f"{_KEEP}, DELETE",
        "engine_leases": _KEEP,
    },
    "publish": {"rule_releases": _ADD, **_USERS, **_CONTROL, "approvals": _ADD, "submissions": _ADD},
    "control": {"rule_releases": _READ, **_OF_PEOPLE},
    "api": {
        "rule_releases": _ADD,
        **_OF_PEOPLE,
        "delivery_channels": _KEEP,
        "delivery_workers": _READ,
        "delivery_ledger": _READ,
    },
    "scheduler": {
        "rule_releases": _READ,
        **_CONTROL,
        "engine_leases": _KEEP,
        "schedule_activities": _KEEP,
        "schedule_runs": _KEEP,
        "delivery_ledger": _READ,
    },
    "audit": {
        "rule_releases": _READ,
        **_USERS,
        **dict.fromkeys(("activity_states", "audit_log", "approvals", "submissions"), _READ),
        "delivery_ledger": _READ,
        "delivery_calls": _READ,
        "delivery_channels": _READ,
    },
}
"""Role -> table -> privileges. `gateway` serves the bridges too; `control` is of those who turn the switch, and of
users. Sources and channels are changed by the owner."""


def grants(role: str, database: str, user: str) -> Iterator[str]:
    """Statements for MySQL and MariaDB, once the tables are there."""
    for table, privileges in {**ROLES[role], VERSION_TABLE: _READ}.items():
        yield f"GRANT {privileges} ON `{database}`.`{table}` TO '{user}'@'%'"
