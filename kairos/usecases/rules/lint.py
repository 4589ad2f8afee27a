"""`kairos lint`: everything that is wrong with a rule folder; and its rules, for whoever needs valid ones."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kairos.adapters.rules.files import other_files
from kairos.adapters.rules.parsed import read_kept
from kairos.engine.rule.load import Loaded, Unreadable, load
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.text.report import nearest
from kairos.usecases.errors import InputError, InvalidRulesError, NotThereError, reason_of


def lint(folder: Path, now: int) -> Loaded:
    """The folder's rules and findings; `now` in epoch ms. Raises NotThereError and InputError."""
    return lint_with(folder, {}, now)


def lint_with(folder: Path, files: Mapping[str, bytes], now: int) -> Loaded:
    """The same, had it these files, too, or instead of its own. Raises as `lint` does."""
    kept = rule_files(folder)
    try:
        return load({**kept, **files}, now, other_files(folder))
    except OSError as error:
        raise _unreadable(folder, error) from None


def rule_files(folder: Path) -> Mapping[str, bytes | Unreadable]:
    """All that are read, by their paths. Raises NotThereError and InputError."""
    need_folder(folder)
    try:
        return read_kept(folder).files
    except OSError as error:
        raise _unreadable(folder, error) from None


def _unreadable(folder: Path, error: OSError) -> InputError:
    return InputError("the rule folder", str(folder), f"{error.filename or ''}: {reason_of(error)}")


def need_folder(folder: Path) -> None:
    """Raises NotThereError."""
    if not folder.exists():
        raise NotThereError(f"the rule folder {folder}: there is no such folder")
    if not folder.is_dir():
        raise NotThereError(f"the rule folder {folder} is not a folder")


def valid_rules(folder: Path, now: int) -> tuple[RuleSet, Loaded]:
    """Raises InvalidRulesError, and what `lint` raises."""
    loaded = lint(folder, now)
    if loaded.rules is None:
        raise InvalidRulesError(str(folder), loaded.findings)
    return loaded.rules, loaded


def need_activity(rules: RuleSet, name: str, place: str) -> Activity:
    """The activity of this name; `place`: where the rules are, for the message. Raises NotThereError."""
    if name not in rules.activities:
        hint = nearest(name, rules.activities)
        raise NotThereError(f"there is no activity {name} in {place}" + (f"; {hint}" if hint else ""))
    return rules.activities[name]
