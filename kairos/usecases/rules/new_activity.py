"""`kairos new`: begin an activity with its file, its example and its text, linted and tested before it is written."""

from __future__ import annotations

import re
from pathlib import Path

from kairos.adapters.rules.files import read_folder
from kairos.engine.rule.form.sketch import Answers, sketch
from kairos.engine.rule.load import Unreadable, load
from kairos.engine.rule.text.scalars import NAME
from kairos.usecases.errors import AskError, InvalidRulesError
from kairos.usecases.rules.lint import need_folder
from kairos.usecases.rules.rehearse import Failed, rehearse_all


class FailedExampleError(AskError):
    """What would be written fails its own example, so nothing is."""

    def __init__(self, failed: list[Failed]) -> None:
        super().__init__(f"{len(failed)} of its examples failed")
        self.failed = failed


def begin_activity(folder: Path, answers: Answers) -> list[str]:
    """The files that were written, with their paths in the folder. Raises as `begun` does."""
    made = begun(folder, answers)
    for path, text in made.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return list(made)


def begun(folder: Path, answers: Answers) -> dict[str, str]:
    """Path in the folder -> text of what would be written, the activity first. Overwrites nothing.

    Raises NotThereError, AskError (a name is none; a file is there already), InvalidRulesError (with the findings about
    the new files, or else all errors) and FailedExampleError.
    """
    need_folder(folder)
    for word in (answers.name, answers.theme, answers.channel):
        if not re.fullmatch(NAME, word):
            raise AskError(f"expected names of a-z, 0-9 and _, found {word}")
    files = read_folder(folder)
    before = load(files).rules
    made = sketch(answers, before.sources if before else None)
    for path in made:
        if (folder / path).exists():
            raise AskError(f"{folder / path} is already there")
    check_made(folder, {**files, **{path: text.encode() for path, text in made.items()}}, answers.name, set(made))
    return made


def check_made(folder: Path, files: dict[str, bytes | Unreadable], name: str, made: set[str]) -> None:
    """Lints the folder as it would be, and runs the examples of `name`. `made`: the paths of what is new.

    Raises InvalidRulesError (with the findings about the new files, or else all errors) and FailedExampleError.
    """
    loaded = load(files)
    if loaded.rules is None:
        errors = [finding for finding in loaded.findings if finding.level == "error"]
        raise InvalidRulesError(str(folder), [finding for finding in errors if finding.file in made] or errors)
    if failed := rehearse_all(loaded.rules, loaded.tests, name).failed:
        raise FailedExampleError(failed)
