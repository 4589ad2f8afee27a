"""The rule folder as somebody writes in it: one file at a time, which is looked through before it is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from kairos.adapters.control.database import Control
from kairos.adapters.control.log import AuditLog, Deed
from kairos.adapters.files.package_file import replace
from kairos.adapters.rules.files import SUFFIXES
from kairos.engine.rule.load import Loaded
from kairos.usecases.control.files import checked_files
from kairos.usecases.control.rights import Actor
from kairos.usecases.errors import AskError, ChangedError, InputError, reason_of
from kairos.usecases.rules.lint import lint_with, need_folder, rule_files


class Draft(msgspec.Struct, frozen=True):
    """`digest`: of the file's content when it was read; empty: it is not there yet."""

    path: str
    text: str
    digest: str


def paths(folder: Path) -> list[str]:
    """Of every file that can be written. Raises NotThereError, InputError."""
    return sorted(path for path, content in rule_files(folder).items() if isinstance(content, bytes))


def draft_of(folder: Path, path: str) -> Draft:
    """Raises AskError where this is no path of a rule file, NotThereError, InputError."""
    need_folder(folder)
    content = _content(folder, path)
    try:
        return Draft(path, content.decode(), _digest(content))
    except UnicodeDecodeError:
        raise AskError(f"{path} is no text in UTF-8") from None


def look_through(folder: Path, path: str, text: str, now: int) -> Loaded:
    """Rules and findings of the folder as it would be with this text. Raises AskError, NotThereError, InputError."""
    need_folder(folder)
    _need_path(folder, path)
    return lint_with(folder, {path: text.encode("utf-8", "surrogatepass")}, now)


def save(folder: Path, store: str, draft: Draft, actor: Actor, now: int) -> None:
    """Keeps the text, with its mistakes: what is published is looked through again. Noted in the log.

    Raises NotAllowedError, ChangedError where somebody else has saved the file since, AskError, NotThereError,
    InputError, RuleStoreError.
    """
    actor.need("write")
    need_folder(folder)
    if runs_at_once(folder, store) and actor.roles is not None:
        raise AskError("what is saved here would run at once, unapproved: give rules.store a database")
    content = _content(folder, draft.path)
    if _digest(content) != draft.digest:
        raise ChangedError(f"{draft.path} was saved by somebody else meanwhile: load it anew")
    text = draft.text.encode("utf-8", "surrogatepass")
    with Control(store) as control:
        AuditLog(control).note(Deed(actor.name, "write", f"file/{draft.path}", now), {"sha256": _digest(text)})
    target = folder / draft.path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        replace(target, text)
    except OSError as error:
        raise InputError("", draft.path, reason_of(error)) from None


def save_all(folder: Path, store: str, texts: Mapping[str, str], actor: Actor, now: int) -> None:
    """Path -> its text then, whatever is there. Raises as `save` does."""
    actor.need("write")
    for path, text in texts.items():
        save(folder, store, Draft(path, text, draft_of(folder, path).digest), actor, now)


def runs_at_once(folder: Path, store: str) -> bool:
    """Whether the folder is the rule store itself, which takes what is saved as its next release."""
    return "://" not in store and Path(store).resolve() == folder.resolve()


def folder_files(folder: Path) -> dict[str, bytes]:
    """What is submitted and published. Raises AskError, NotThereError, InputError."""
    found = {}
    for path, content in rule_files(folder).items():
        if not isinstance(content, bytes):
            raise AskError(f"{path}: {content.reason}")
        found[path] = content
    return found


def _content(folder: Path, path: str) -> bytes:
    """Empty where there is none."""
    _need_path(folder, path)
    content = rule_files(folder).get(path, b"")
    if not isinstance(content, bytes):
        raise AskError(f"{path} {content.reason}")
    return content


def _need_path(folder: Path, path: str) -> None:
    """Below the folder, links followed too."""
    checked_files({path: ""})
    if not path.endswith(SUFFIXES) or not (folder / path).resolve().is_relative_to(folder.resolve()):
        raise AskError(f"{path[:200]!r} is no path of a rule file: expected {', '.join(SUFFIXES)}")


def _digest(content: bytes) -> str:
    """Empty of nothing."""
    return "" if not content else hashlib.sha256(content).hexdigest()
