"""The section `api` of a configuration: where it listens, how it is reached, and who vouches for people."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from kairos.adapters.channels.secret import resolve
from kairos.adapters.settings.file import SettingsError, convert, full_store, read


class Oidc(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`issuer`: its URL, below which it describes itself. `client_secret`: by reference. `claim`: which of its words is
    the name of a user here."""

    issuer: str
    client_id: str
    client_secret: Any
    claim: str = "email"


class Api(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`url`: how browsers reach it; None: http at host and port, which is for one machine. `rules`: the folder in which
    measures.yaml and grades.yaml are; the console writes there. `plans`: the folder of the plan library."""

    host: str = "127.0.0.1"
    port: int = 8_090
    url: str | None = None
    rules: str = "rules"
    plans: str = "plans"
    oidc: Oidc | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port as a browser names them."""
        return (self.url or f"http://{self.host}:{self.port}").rstrip("/")


class Rules(msgspec.Struct, frozen=True):
    store: str = "rules"


class Warehouse(msgspec.Struct, frozen=True):
    folder: str | None = None


class ApiSettings(msgspec.Struct, frozen=True):
    """What of the configuration the API itself reads. `place`: its file."""

    api: Api = Api()
    rules: Rules = Rules()
    warehouse: Warehouse = Warehouse()
    place: str = ""


def load(path: Path, overrides: Iterable[str] = ()) -> ApiSettings:
    """Raises SettingsError."""
    found = convert({**read(path, overrides), "place": str(path)}, ApiSettings, path)
    if not found.api.origin.startswith(("http://", "https://")):
        raise SettingsError(f"{path}: api.url: expected http:// or https://")
    rules = msgspec.structs.replace(found.rules, store=full_store(found.rules.store))
    return msgspec.structs.replace(found, rules=rules)


def secret_of(oidc: Oidc, place: str) -> str:
    """Raises SettingsError."""
    try:
        return resolve(oidc.client_secret).reveal()
    except ValueError as error:
        raise SettingsError(f"{place}: api.oidc.client_secret: {error}") from None
