"""The lease of a live job: taken at its start, renewed while it runs, given back where it ends here."""

from __future__ import annotations

import getpass
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from jobs.checks import StartError
from jobs.settings import Settings
from kairos.adapters.database.connection import create_tables, open_engine
from kairos.adapters.database.errors import DatabaseAwayError, DatabaseError
from kairos.adapters.delivery.engine_lease import HeldError, Lease, Leases

EVERY_MS = 1_000

log = logging.getLogger(__name__)

Renew = Callable[[], None]


def take_lease(settings: Settings, *, by_force: bool) -> Lease | None:
    """None: nothing is delivered from what this job decides, or no database keeps who does. Raises StartError."""
    if settings.kafka is None or settings.lease.store is None:
        return None
    kafka = settings.kafka
    scope = f"group '{kafka.group}' and topics '{kafka.reads}' (prefix '{kafka.prefix}')"
    holder = f"{getpass.getuser()} on {socket.gethostname()}, process {os.getpid()}"
    try:
        engine = open_engine(settings.lease.store)
        create_tables(engine)
        return Leases(engine).take(scope, holder, _now, _sleep, by_force=by_force)
    except HeldError as error:
        raise StartError(str(error)) from None
    except (DatabaseError, DatabaseAwayError) as error:
        raise StartError(f"lease.store: {error}") from None


def release_lease(settings: Settings, lease: Lease | None) -> None:
    if lease is not None and settings.lease.store is not None:
        with suppress(DatabaseError, DatabaseAwayError):  # then the next start waits for a while
            Leases(open_engine(settings.lease.store)).release(lease)


def renewing(settings: Settings, lease: Lease | None) -> Callable[[], Renew] | None:
    """What the job opens where it runs, and calls again and again."""
    return None if lease is None or settings.lease.store is None else partial(_open, settings.lease.store, lease)


def _open(store: str, lease: Lease) -> Renew:
    leases = Leases(open_engine(store))
    renewed_at = 0

    def renew() -> None:
        """Raises ReplacedError. A database that is away replaces nobody either."""
        nonlocal renewed_at
        now = _now()
        if now - renewed_at < EVERY_MS:
            return
        renewed_at = now
        try:
            leases.renew(lease, now)
        except DatabaseAwayError as error:
            log.warning("the lease cannot be renewed: %s", error)

    return renew


def _now() -> int:
    return time.time_ns() // 1_000_000


def _sleep(ms: int) -> None:
    time.sleep(ms / 1000)
