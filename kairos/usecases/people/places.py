"""Where what is known of people lies: opened for one question, each place only where somebody asks it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from kairos.adapters.profiles.person import FilePeople, People, RedisPeople
from kairos.adapters.search.opening import open_search
from kairos.adapters.search.port import SearchStore
from kairos.adapters.settings.kafka import KafkaAddress
from kairos.adapters.settings.people import PeopleSettings
from kairos.adapters.warehouse.folder import Folder
from kairos.adapters.warehouse.opening import open_about, open_engine
from kairos.adapters.warehouse.port import Engine
from kairos.engine.rule.model import RuleSet
from kairos.engine.score.spec import Grades
from kairos.usecases.errors import NotThereError

NO_RULES = RuleSet()


@dataclass(frozen=True)
class Places:
    """`ledger`: an SQLAlchemy URL. `log`: the rule store in whose log stands who wrote what. None: this configuration
    has no such thing. `opened`: the warehouse, where `about` has opened it."""

    rules: RuleSet
    grades: Grades | None = None
    profiles: People | None = None
    warehouse: Path | None = None
    ledger: str | None = None
    search: str | None = None
    kafka: KafkaAddress | None = None
    log: str | None = None
    opened: Engine | None = None

    @contextmanager
    def engine(self) -> Iterator[Engine | None]:
        """None: there is no warehouse yet. Raises WarehouseError."""
        if self.warehouse is None or not Folder(self.warehouse).exists:
            yield None
            return
        opened = open_engine(self.warehouse)
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def engine_about(self, user: str, since: int | None = None) -> Iterator[Engine | None]:
        """Of tables with a time it has her rows alone, from the day of `since` (epoch ms) on. None: there is no
        warehouse yet. Raises WarehouseError."""
        if self.opened is not None or self.warehouse is None or not Folder(self.warehouse).exists:
            yield self.opened
            return
        with closing(open_about(self.warehouse, user, since)) as opened:
            yield opened

    @contextmanager
    def about(self, user: str, since: int | None) -> Iterator[Places]:
        """For several questions about one user: the warehouse is read once. Raises WarehouseError."""
        with self.engine_about(user, since) as opened:
            yield replace(self, opened=opened)

    @contextmanager
    def store(self) -> Iterator[SearchStore]:
        """Raises SearchError, and NotThereError where nothing says where it is."""
        if self.search is None:
            raise NotThereError("the configuration names neither search.store nor a warehouse to search in")
        opened = open_search(self.search)
        try:
            yield opened
        finally:
            opened.close()

    def warehouse_folder(self) -> Path:
        """Raises NotThereError."""
        if self.warehouse is None:
            raise NotThereError("the configuration names no warehouse.folder")
        return self.warehouse


def places_of(settings: PeopleSettings, rules: RuleSet = NO_RULES, grades: Grades | None = None) -> Places:
    profiles: People | None = None
    if settings.profiles.redis:
        profiles = RedisPeople(settings.profiles.redis)
    elif settings.profiles.file:
        profiles = FilePeople(Path(settings.profiles.file))
    folder = settings.warehouse.folder
    return Places(
        rules, grades, profiles, Path(folder) if folder else None, settings.delivery.store, settings.search_store(),
        settings.kafka, settings.rules.store,
    )  # fmt: skip
