"""Rules by name: a folder, a release of a store (`rules.db@12`), a version of one activity (`name@hash`)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kairos.adapters.rules.files import read_folder
from kairos.adapters.rules.history import read_releases
from kairos.adapters.rules.overrides import with_overrides
from kairos.adapters.rules.store import RuleStoreError
from kairos.engine.measure.spec import Measures
from kairos.engine.rule.load import load
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.release import Release, activity_version

_RELEASE = re.compile(r"(?P<store>.+)@(?P<number>[0-9]+)")
_VERSION = re.compile(r"(?P<activity>[a-z][a-z0-9_]*)@(?P<version>[0-9a-f]{16})")


class NamedRules(msgspec.Struct, frozen=True):
    """`hash`: 16 hex digits of everything that the rules mean. `measures`: of a folder, what its messages cost."""

    name: str
    hash: str
    rules: RuleSet
    measures: Measures = Measures()


def named_rules(name: str, store: str | None, overrides: Mapping[str, str]) -> NamedRules:
    """Raises RuleStoreError (with lint's findings, where these are what is wrong), OverrideError, OSError.

    `store`: where `name@hash` is looked up; its newest release with that version of the one activity is taken.
    """
    if not Path(name).exists():
        if version := _VERSION.fullmatch(name):
            return _named(name, _of_version(name, version["activity"], version["version"], store), overrides)
        if release := _RELEASE.fullmatch(name):
            return _named(name, _of_release(release["store"], int(release["number"])), overrides)
        raise RuleStoreError(f"there is no rule folder {name}; a release is STORE@NUMBER, a version ACTIVITY@HASH")
    loaded = load(with_overrides(read_folder(Path(name)), overrides))
    if loaded.rules is None:
        errors = [finding for finding in loaded.findings if finding.level == "error"]
        raise RuleStoreError(f"the rules in {name} have errors", errors)
    return called(name, loaded.rules, loaded.measures)


def _named(name: str, rules: RuleSet, overrides: Mapping[str, str]) -> NamedRules:
    if overrides:
        raise RuleStoreError(f"{name}: values can be set in a rule folder only, not in what was published")
    return called(name, rules)


def called(name: str, rules: RuleSet, measures: Measures | None = None) -> NamedRules:
    """Rules that are at hand, under this name."""
    digest = hashlib.blake2b(msgspec.json.encode(rules, order="deterministic"), digest_size=8)
    return NamedRules(name, digest.hexdigest(), rules, measures or Measures())


def _of_release(store: str, number: int) -> RuleSet:
    for release in read_releases(store):
        if release.number == number:
            return release.rules
    raise RuleStoreError(f"the rule store {store} has no release {number}")


def _of_version(name: str, activity: str, version: str, store: str | None) -> RuleSet:
    if store is None:
        raise RuleStoreError(f"{name} is a version of an activity: --store says which rule store has it")
    releases = read_releases(store)
    newest: Release = releases[-1]
    for release in reversed(releases):
        spec = release.rules.activities.get(activity)
        if spec is not None and activity_version(spec) == version:
            activities = {**newest.rules.activities, activity: spec}
            return msgspec.structs.replace(newest.rules, activities=activities)
    raise RuleStoreError(f"no release in {store} has {name}")
