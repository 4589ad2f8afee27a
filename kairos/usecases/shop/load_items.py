"""`kairos catalog load`: a file of items, told as events `catalog.item`."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from kairos.adapters.files.item_table import read_items
from kairos.engine.catalog.item import key_text, unfit
from kairos.engine.catalog.spec import Catalog
from kairos.engine.event import CATALOG_ITEM, KAIROS, MAX_ID, Event
from kairos.engine.rule.text.report import listed, nearest
from kairos.usecases.control.deeds import begin
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import InputError, NotThereError, reason_of

AT_ONCE = 5_000


class Outlet(Protocol):
    """Where events are told."""

    def tell(self, events: Sequence[Event]) -> None: ...


class Loaded(msgspec.Struct, frozen=True):
    """`told`: items. `left_out`: rows that are none, or not as the catalog declares them."""

    told: int
    left_out: int


def load_items(
    file: Path,
    name: str,
    catalogs: Mapping[str, Catalog],
    now: int,
    outlet: Outlet,
    report: Callable[[str, str], None],
    *,
    actor: Actor,
    log: str | None,
) -> Loaded:
    """`now`: epoch ms, when the items are so. `report` hears (place, why) of rows that are left out. `log`: the rule
    store in whose log it stands; None: in none.

    Raises NotAllowedError, NotThereError, InputError, ItemFileError, RuleStoreError and what the outlet raises.
    """
    catalog = catalogs.get(name)
    if catalog is None:
        known = f"there are {listed(catalogs, 'and')}" if catalogs else "catalogs.yaml has none"
        hint = nearest(name, catalogs) or known
        raise NotThereError(f"there is no catalog '{name}'; {hint}")
    begin(log, actor, "write", "load_items", f"catalog/{name}", now)
    left_out = Counter[str]()

    def heard(place: str, why: str) -> None:
        left_out[place] += 1
        report(place, why)

    told, batch = 0, list[Event]()
    try:
        for event in _events(file, name, catalog, now, heard):
            batch.append(event)
            if len(batch) == AT_ONCE:
                outlet.tell(batch)
                told, batch = told + len(batch), []
    except OSError as error:
        raise InputError("the items", str(file), reason_of(error)) from None
    if batch:
        outlet.tell(batch)
    return Loaded(told + len(batch), len(left_out))


def _events(file: Path, name: str, catalog: Catalog, now: int, report: Callable[[str, str], None]) -> Iterator[Event]:
    types = {**catalog.fields, catalog.key: "string"}
    for place, fields in read_items(file, types, report):
        key, wrong = key_text(fields.get(catalog.key)), unfit(catalog, fields)
        if key is None:
            report(place, f"'{catalog.key}' is missing, which names the item")
        elif wrong:
            report(place, f"{key}: {listed(wrong, 'and')} not of the type that catalogs.yaml says")
        else:
            yield item_event(name, catalog, key, fields, now)


def item_event(name: str, catalog: Catalog, key: str, fields: Mapping[str, Any], now: int) -> Event:
    """`user_id` is the key: it makes nobody known, and spreads items over the partitions."""
    known = {field: fields[field] for field in catalog.fields if field in fields}
    user = key if len(key.encode("utf-8", "surrogatepass")) <= MAX_ID else _digest(key)
    props = {"catalog": name, catalog.key: fields[catalog.key], **known}
    return Event(f"item/{name}/{_digest(key)}/{now}", CATALOG_ITEM, now, KAIROS, props, user)


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
