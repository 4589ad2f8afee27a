"""What each process may do in the database: no more than its work takes. Tables are made by their owner alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kairos.adapters.migrations import VERSION_TABLE

_READ = "SELECT"
_ADD = "SELECT, INSERT"
_KEEP = "SELECT, INSERT, UPDATE"
_SOURCES = {"sources": _READ, "source_keys": _READ}

ROLES: Mapping[str, Mapping[str, str]] = {
    "job": {"rule_releases": _READ, **_SOURCES},
    "gateway": _SOURCES,
    "worker": {
        "rule_releases": _READ,
        "delivery_ledger": _KEEP,
        "delivery_calls": _KEEP,
        "delivery_channels": _KEEP,
        "delivery_workers": f"{_KEEP}, DELETE",
    },
    "publish": {"rule_releases": _ADD},
    "audit": {
        "rule_releases": _READ,
        "delivery_ledger": _READ,
        "delivery_calls": _READ,
        "delivery_channels": _READ,
    },
}
"""Role -> table -> privileges. `gateway` serves the bridges too; sources and channels are changed by the owner."""


def grants(role: str, database: str, user: str) -> Iterator[str]:
    """Statements for MySQL and MariaDB, once the tables are there."""
    for table, privileges in {**ROLES[role], VERSION_TABLE: _READ}.items():
        yield f"GRANT {privileges} ON `{database}`.`{table}` TO '{user}'@'%'"
