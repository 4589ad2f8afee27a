"""What `kairos people` reads of a configuration: where each thing that is known of a person lies."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from kairos.adapters.settings.file import SettingsError, convert, full_store, read
from kairos.adapters.settings.kafka import KafkaAddress


class Profiles(msgspec.Struct, frozen=True):
    redis: str | None = None
    file: str | None = None


class Delivery(msgspec.Struct, frozen=True):
    store: str | None = None


class Warehouse(msgspec.Struct, frozen=True):
    folder: str | None = None


class Rules(msgspec.Struct, frozen=True):
    store: str = "rules"


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`store`: `sqlite:///PATH`, or the address of OpenSearch or Elasticsearch; None: a file beside the warehouse."""

    store: str | None = None


class PeopleSettings(msgspec.Struct, frozen=True):
    """`kafka`: where a running job hears that a person is to be forgotten; None: no job runs on."""

    profiles: Profiles = Profiles()
    delivery: Delivery = Delivery()
    warehouse: Warehouse = Warehouse()
    rules: Rules = Rules()
    search: Search = Search()
    kafka: KafkaAddress | None = None

    def search_store(self) -> str | None:
        """None: there is neither a store nor a warehouse."""
        if self.search.store is not None or self.warehouse.folder is None:
            return self.search.store
        return f"sqlite:///{Path(self.warehouse.folder).absolute().with_suffix('.search.db')}"


def load(path: Path, overrides: Iterable[str] = ()) -> PeopleSettings:
    """Raises SettingsError."""
    found = convert(read(path, overrides), PeopleSettings, path)
    if found.profiles.redis and found.profiles.file:
        raise SettingsError(f"{path}: profiles are in Redis or in a file, not in both")
    rules = msgspec.structs.replace(found.rules, store=full_store(found.rules.store))
    return msgspec.structs.replace(found, rules=rules)
