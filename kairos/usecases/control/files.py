"""A rule folder that comes from somewhere else than a disk."""

from __future__ import annotations

import re
from collections.abc import Mapping

from kairos.engine.rule.load import Loaded, load
from kairos.engine.rule.model import RuleSet
from kairos.usecases.errors import AskError, InvalidRulesError
from kairos.usecases.rules.rehearse import rehearse_all

MOST_FILES, MOST_BYTES = 5_000, 16_000_000
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


def checked_files(files: Mapping[str, str]) -> dict[str, bytes]:
    """Paths that stay inside of a folder, with contents of a bearable size. Raises AskError."""
    for path in files:
        parts = path.split("/")
        if len(parts) > 4 or not all(_PART.fullmatch(part) for part in parts):
            raise AskError(f"{path[:200]!r} is no path of a rule file")
    found = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    if len(found) > MOST_FILES or sum(map(len, found.values())) > MOST_BYTES:
        raise AskError(f"more than {MOST_FILES:,} files, or {MOST_BYTES:,} bytes")
    return found


def valid(files: Mapping[str, bytes], now: int) -> tuple[RuleSet, Loaded]:
    """The rules, with all else that the files say. Raises InvalidRulesError, and AskError where an example fails."""
    loaded: Loaded = load(files, now)
    if loaded.rules is None:
        raise InvalidRulesError("the submission", loaded.findings)
    if failed := rehearse_all(loaded.rules, loaded.tests).failed:
        raise AskError(f"{len(failed)} of the examples failed")
    return loaded.rules, loaded
