"""Where the crowds of a configuration are built."""

from __future__ import annotations

from pathlib import Path

from kairos.adapters.crowds.port import CrowdStore
from kairos.engine.measure.spec import Measures
from kairos.engine.rule.model import RuleSet
from kairos.usecases.crowds.places import Places


def places_of(warehouse: Path, rules: RuleSet, measures: Measures, engine: str, conf: Path | None) -> Places:
    """Without a configuration there is no job that listens, no log, and a file in place of Redis. Raises
    SettingsError."""
    if conf is None:
        return Places(warehouse, rules, measures, engine)
    from kairos.adapters.crowds.kafka import KafkaTold
    from kairos.adapters.settings.crowds import load

    settings = load(conf)
    told = KafkaTold(settings.kafka) if settings.kafka is not None else None
    url, log = settings.profiles.redis, settings.rules.store
    return Places(warehouse, rules, measures, engine, None if url is None else lambda: _redis(url), told, log=log)


def folder_of(conf: Path | None) -> Path | None:
    """The warehouse that a configuration names, where its follower and its console look. Raises SettingsError."""
    if conf is None:
        return None
    from kairos.adapters.settings.crowds import load

    named = load(conf).warehouse
    return Path(named.folder) if named is not None else None


def _redis(url: str) -> CrowdStore:
    from kairos.adapters.crowds.redis import RedisCrowds
    from kairos.adapters.profiles.redis import connect

    return RedisCrowds(connect(url))
