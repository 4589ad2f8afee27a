"""`kairos plans diff`: what of a folder came from plans that say something else by now."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from kairos.adapters.rules.files import read_folder
from kairos.engine.plan.parameter import noted
from kairos.engine.plan.plan import Library
from kairos.engine.plan.texts import own_names, with_texts
from kairos.engine.plan.write import Written, kept, write
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.model import FromPlan, RuleSet
from kairos.usecases.errors import AskError
from kairos.usecases.rules.new_activity import check_made
from kairos.usecases.rules.plans import Change, Files, change_of, filled, folder_rules, origins, templates_of


@dataclass(frozen=True)
class Upgrade:
    """`version`: of the plan now, None: the library does not have it any more. `change`: what the files would be, where
    they differ. `problem`: why that cannot be made. `lines`: what would change, as `diff -u` tells it."""

    name: str
    came: FromPlan
    version: str | None
    change: Change | None = None
    lines: str = ""
    problem: str = ""

    @property
    def offered(self) -> bool:
        return self.version is not None and self.version != self.came.version and not self.problem


def upgrades(folder: Path, found: Library) -> list[Upgrade]:
    """Of every activity and journey of the folder that came from a plan, with the parameters that were put in then.

    What the plan says nothing of stays as it is here: a state, an owner, dates. Raises NotThereError and
    InvalidRulesError.
    """
    rules, files = folder_rules(folder), read_folder(folder)
    return [_upgrade(files, name, came, rules, found) for name, came in origins(rules).items()]


def _upgrade(files: Files, name: str, came: FromPlan, rules: RuleSet, found: Library) -> Upgrade:
    plan = found.plans.get(came.plan)
    if plan is None:
        return Upgrade(name, came, None)
    settings = {key: noted(value) for key, value in came.parameters.items() if key in plan.parameters}
    try:
        made = filled(plan, settings)
        sent = [
            text for part, one in rules.activities.items() if journey_of(part) == name for text in templates_of(one)
        ]
        made = with_texts(made, own_names(made, sent))
        written = write(made, name, rules.activities[name].theme, rules.sources or {})
        own = {path: kept(_text(files, path), text) for path, text in written.own.items()}
        change = change_of(files, Written(own, written.texts, written.shared))
    except AskError as error:
        return Upgrade(name, came, plan.version, problem=str(error))
    changed = {path: text for path, text in change.files.items() if files.get(path) != text.encode()}
    return Upgrade(name, came, plan.version, Change(changed, change.left), "".join(_lines(files, changed)))


def _lines(files: Files, changed: Mapping[str, str]) -> Iterator[str]:
    for path, text in changed.items():
        old = _text(files, path).splitlines(keepends=True)
        yield from difflib.unified_diff(old, text.splitlines(keepends=True), path, path, n=1)


def _text(files: Files, path: str) -> str:
    content = files.get(path)
    return content.decode() if isinstance(content, bytes) else ""


def upgrade(folder: Path, one: Upgrade) -> Change:
    """What is written for it, linted and tested. Raises AskError, InvalidRulesError and FailedExampleError."""
    if one.change is None:
        raise AskError(f"{one.name}: {one.problem or f'there is no plan {one.came.plan} any more'}")
    files = read_folder(folder)
    check_made(folder, {**files, **one.change.contents()}, one.name, set(one.change.files))
    return one.change
