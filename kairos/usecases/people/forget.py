"""`kairos people forget`: erases a person wherever Kairos keeps anything of her, and says what was where."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from kairos.adapters.crowds.sqlite import SqliteCrowds
from kairos.adapters.delivery.forgetting import forget_deliveries
from kairos.adapters.delivery.ledger_reader import NoLedgerError
from kairos.adapters.kafka.due import tell_job
from kairos.adapters.warehouse.crowd_files import NOTES
from kairos.adapters.warehouse.folder import Folder
from kairos.engine.event import FORGET, KAIROS, Event
from kairos.engine.schedule.due import id_about
from kairos.usecases.control.deeds import person_subject, write_people
from kairos.usecases.control.rights import Actor
from kairos.usecases.people.places import Places
from kairos.usecases.warehouse.care import forget as forget_rows

LIVE = "live.db"
"""Where the job of this machine looks for kept crowds, in the warehouse (usecases/crowds/places.py)."""
Gone = dict[str, dict[str, int]]
"""Place -> what was there -> how many."""


def forget(places: Places, user_id: str, actor: Actor, now: int) -> Gone:
    """Said again it finishes what a failure left. `now`: epoch ms. Raises NotAllowedError and KairosError.

    The job hears of it first, so that it decides nothing more about her. What tells that something is about her goes
    last: calls in the warehouse are known as hers by her decisions, and identities lead to her until all else is gone.
    """
    write_people(places.log, actor, "forget_person", person_subject(user_id), now)
    gone: Gone = {}
    if places.kafka is not None:
        gone["job"] = {"told": tell_job(places.kafka, forget_event(user_id, now))}
    if places.ledger is not None:
        with suppress(NoLedgerError):
            gone["ledger"] = forget_deliveries(places.ledger, user_id)
    if places.warehouse is not None and Folder(places.warehouse).exists:
        gone["warehouse"] = dict(forget_rows(places.warehouse, user_id))
        if (live := places.warehouse / NOTES / LIVE).exists():
            crowds = SqliteCrowds(live)
            gone["crowds"] = {"memberships": crowds.forget(user_id)}
            crowds.close()
    if places.search is not None:
        with places.store() as store:
            entries = store.forget(user_id)
            gone["search"] = {"entries": entries} if entries else {}
    if places.profiles is not None:
        gone["profiles"] = places.profiles.remove(user_id)
    return {place: told for place, what in gone.items() if (told := {name: n for name, n in what.items() if n})}


def forget_in_warehouse(warehouse: Path, user_id: str, actor: Actor, now: int, log: str | None) -> dict[str, int]:
    """In the warehouse alone: table -> rows that are gone. `log`: the rule store in whose log it stands; None: in none.
    Raises NotAllowedError and KairosError."""
    write_people(log, actor, "forget_person", person_subject(user_id), now)
    return dict(forget_rows(warehouse, user_id))


def forget_event(user_id: str, at: int) -> Event:
    return Event(id_about(f"forget/{at}", user_id), FORGET, at, KAIROS, {}, user_id)
