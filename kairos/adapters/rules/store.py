"""Where releases come from and go to. The job polls a store once a second; `kairos publish` writes to it.

`folder_rule_store` takes a YAML folder as it is edited, `sql_rule_store` a table in SQLite or MySQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from kairos.engine.rule.finding import Finding
from kairos.engine.rule.release import Release
from kairos.errors import KairosError


class RuleStore(Protocol):
    def latest(self, after: int) -> Release | None:
        """The newest release if its number is above `after`, else None.

        Raises BrokenReleaseError when the newest one is broken: once, so that the next call gives the last good one
        above `after`. Raises RuleStoreError when the store cannot be reached.
        """
        ...

    def publish(self, release: Release, files: Mapping[str, bytes], author: str) -> None:
        """Writes the release as a whole or not at all. `files` is the rule folder that it was made of.

        Raises RuleStoreError when the store cannot be reached, or no longer ends with the release before this one.
        """
        ...


class RuleStoreError(KairosError):
    """What is wrong, and where. `findings`: of lint, where the rules are what is wrong."""

    def __init__(self, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__("\n".join([message, *(f"  {finding}" for finding in findings)]))
        self.message = message
        self.findings = tuple(findings)


class BrokenReleaseError(RuleStoreError):
    """`number`: that of the broken release."""

    def __init__(self, number: int, message: str, findings: Sequence[Finding] = ()) -> None:
        super().__init__(message, findings)
        self.number = number


def last_good(
    store: RuleStore, after: int = 0, heard: Callable[[BrokenReleaseError], object] = lambda _error: None
) -> Release | None:
    """As `latest`, past those that are broken, of which `heard` hears: what runs goes on with the one before. Raises
    BrokenReleaseError where all that there is is broken."""
    broken: BrokenReleaseError | None = None
    while True:
        try:
            release = store.latest(after)
        except BrokenReleaseError as error:
            broken = broken or error
            heard(error)
            continue
        if release is None and broken is not None and not after:
            raise broken
        return release


def overtaken(number: int, where: str) -> RuleStoreError:
    return RuleStoreError(f"release {number} was published meanwhile in {where}: look at the new plan first")


def open_rule_store(where: str) -> RuleStore:
    """A database address (`sqlite:///rules.db`, `mysql+pymysql://...`), or else the path of a rule folder."""
    if "://" in where:
        from kairos.adapters.rules.store_sql import SqlRuleStore  # not every command needs SQLAlchemy

        return SqlRuleStore(where)
    from kairos.adapters.rules.store_folder import FolderRuleStore

    return FolderRuleStore(where)
