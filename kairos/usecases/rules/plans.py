"""`kairos plans`: what a library has, what a rule folder lacks for it, and how a plan becomes files of the folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

from kairos.adapters.rules.files import read_folder
from kairos.adapters.rules.parsed import parsed, read_kept
from kairos.adapters.rules.plans import names_in, open_library
from kairos.engine.plan.choose import MOST, Choose
from kairos.engine.plan.parameter import Given, given
from kairos.engine.plan.plan import Library, Made, Plan, Requires, make
from kairos.engine.plan.texts import own_name, with_texts
from kairos.engine.plan.write import Written, merged, write
from kairos.engine.rule.journey import journey_of
from kairos.engine.rule.load import Unreadable, load
from kairos.engine.rule.model import Activity, FromPlan, RuleSet
from kairos.engine.rule.text.nodes import YamlError
from kairos.engine.rule.text.report import listed, nearest
from kairos.engine.rule.text.scalars import NAME
from kairos.usecases.errors import AskError, InputError, InvalidRulesError, NotThereError, reason_of
from kairos.usecases.rules.lint import need_folder
from kairos.usecases.rules.new_activity import FailedExampleError, check_made

CATALOGS, TEXTS = "catalogs.yaml", "templates/"
Files = dict[str, bytes | Unreadable]


def library(folder: Path, only: str | None = None) -> Library:
    """All plans, or `only` one, and all findings about them. Raises NotThereError and InputError."""
    if not folder.is_dir():
        raise NotThereError(f"the plan library {folder}: there is no such folder")
    try:
        if only is not None and only not in (names := names_in(folder)):
            hint = nearest(only, names) or f"there are {listed(names, 'and')}"
            raise NotThereError(f"there is no plan {only} in {folder}; {hint}")
        return open_library(folder, only)
    except OSError as error:
        raise InputError("the plan library", str(folder), reason_of(error)) from None


def plan_of(folder: Path, name: str) -> Plan:
    """Raises NotThereError, and InvalidRulesError where this plan has errors."""
    found = library(folder, name)
    if found.failed:
        raise InvalidRulesError(str(folder), found.findings)
    return found.plans[name]


# ------------------------------------------------------------------------------------------------------ what is lacking
@dataclass(frozen=True)
class Entry:
    """A plan as the list has it. `here`: activities and journeys of the folder that came from it; `lacks`: what
    the folder does not know of, in words."""

    plan: Plan
    here: list[str]
    lacks: list[str]


def entries(found: Library, rules: RuleSet) -> list[Entry]:
    came = origins(rules)
    here = {plan: [name for name, of in came.items() if of.plan == plan] for plan in found.plans}
    return [Entry(one, here[name], lacking(made_by_default(one), rules)) for name, one in found.plans.items()]


def folder_rules(folder: Path) -> RuleSet:
    """Of an empty folder: that nothing is known. Raises NotThereError and InvalidRulesError."""
    need_folder(folder)
    read = read_kept(folder)
    loaded = parsed(read)
    if read.files and loaded.rules is None:
        raise InvalidRulesError(str(folder), loaded.findings)
    return loaded.rules or RuleSet()


def origins(rules: RuleSet) -> dict[str, FromPlan]:
    """Activity or journey -> the plan that it came from."""
    whole = {name: one for name, one in sorted(rules.activities.items()) if journey_of(name) == name}
    return {name: activity.plan for name, activity in whole.items() if activity.plan is not None}


def made_by_default(plan: Plan) -> Made:
    return plan.by_default


def _declare(made: Made, lacks: Sequence[str], rules: RuleSet) -> str:
    """What to do; with the parameters that say what it is called here, and what there is to choose from."""
    missing = {re.split("[ .]", what)[-1] for what in lacks}
    sets = [f"--set {name}=..." for name, each in made.values.items() if each.text in missing]
    if not sets:
        return "declare it"
    there = "; ".join(dict.fromkeys(filter(None, (_instead(what, rules) for what in lacks))))
    return f"declare it, or say what it is called here: {' '.join(sets)} ({there})"


def _instead(lack: str, rules: RuleSet) -> str:
    """What of this kind is declared."""
    kind, _, what = lack.partition(" ")
    schemas = [source.events for source in (rules.sources or {}).values()]
    if kind == "event":
        return f"events: {listed(sorted({name for events in schemas for name in events}))}"
    if kind == "prop":
        event = what.rpartition(".")[0]
        props = sorted({prop for events in schemas if event in events for prop in events[event].props})
        return f"props of {event}: {listed(props)}" if props else f"{event} has no props"
    return ""


def lacking(made: Made, rules: RuleSet) -> list[str]:
    """What the plan asks for and the folder does not declare. A folder without the file in question takes anything."""
    needs: Requires = made.requires
    lacks = []
    if rules.sources is not None:
        known: dict[str, set[str]] = {}
        for source in rules.sources.values():
            for event, schema in source.events.items():
                known.setdefault(event, set()).update(schema.props)
        lacks += [f"event {event}" for event in needs.events if event not in known]
        lacks += [
            f"prop {event}.{prop}"
            for event, props in needs.props.items()
            for prop in props
            if event in known and prop not in known[event]
        ]
    if rules.profile is not None:
        lacks += [f"profile.{field}" for field in needs.profile if field not in rules.profile]
    return lacks


# -------------------------------------------------------------------------------------------------------------- to use
@dataclass(frozen=True)
class Use:
    """What is asked for. `settings`: parameter -> what `--set` says; `name` None: the plan's; `theme` None: its own."""

    settings: Mapping[str, str]
    name: str | None = None
    theme: str | None = None
    choose: Choose = field(default_factory=Choose)


@dataclass
class Change:
    """Path in the rule folder -> its content then. `left`: texts and catalogs that are there and say something else.
    `called`: texts whose names others have here -> what those of the plan are called."""

    files: dict[str, str]
    left: list[str]
    called: dict[str, str] = field(default_factory=dict)

    def contents(self) -> dict[str, bytes]:
        return {path: text.encode() for path, text in self.files.items()}


def use(folder: Path, plan: Plan, asked: Use) -> Change:
    """Linted and tested; nothing is written yet. Overwrites no activity and no text.

    Raises NotThereError, AskError, InvalidRulesError and FailedExampleError.
    """
    need_folder(folder)
    name = asked.name or plan.name
    for word in filter(None, (name, asked.theme)):
        if not re.fullmatch(NAME, word):
            raise AskError(f"expected names of a-z, 0-9 and _, found {word}")
    files = read_folder(folder)
    known = load(files).rules if files else RuleSet()
    _check_choice(plan, asked.choose)
    whole, names = Change({}, []), []
    for candidate, chosen in asked.choose.candidates(name):
        made = filled(plan, {**asked.settings, **chosen})
        if known is not None and (lacks := lacking(made, known)):
            raise AskError(f"{folder} does not know {listed(lacks, 'and')}; {_declare(made, lacks, known)}")
        if known is not None:
            others = {text: own_name(text, name) for text in _of_others(made, files, known)}
            made, whole.called = with_texts(made, others), {**whole.called, **others}
        competes, wrong = asked.choose.lines(made.values)
        if wrong is not None:
            raise AskError(f"--worth: {wrong}")
        written = write(made, candidate, asked.theme, known.sources if known and known.sources else {}, competes)
        for path in written.own:
            if path in files:
                raise AskError(f"{folder / path} is already there")
        change = change_of({**files, **whole.contents()}, written)
        whole.files.update(change.files)
        whole.left.extend(path for path in change.left if path not in whole.left)
        names.append(candidate)
    for candidate in names:
        try:
            check_made(folder, {**files, **whole.contents()}, candidate, set(whole.files))
        except (InvalidRulesError, FailedExampleError):
            if texts := [path for path in whole.left if path.startswith(TEXTS)]:
                raise AskError(_in_the_way(texts, known)) from None
            raise
    return whole


def _of_others(made: Made, files: Files, known: RuleSet) -> list[str]:
    """The plan's texts that say something else here, and that what came from no such plan sends."""
    contents = {path: text.encode() for path, text in write(made, made.plan.name).texts.items()}
    differ = {
        path.removeprefix(TEXTS).partition(".")[0] for path, text in contents.items() if files.get(path, text) != text
    }
    came = origins(known)
    others = {
        template
        for name, one in known.activities.items()
        if (of := came.get(journey_of(name))) is None or of.plan != made.plan.name
        for template in templates_of(one)
    }
    return sorted(differ & others)


def templates_of(activity: Activity) -> list[str]:
    """Names of the texts that it sends."""
    sends = (*activity.send, *(send for variant in activity.variants for send in variant.send))
    return [send.template for send in sends if send.template is not None]


def _in_the_way(texts: list[str], known: RuleSet | None) -> str:
    """What the folder's texts of the plan's names keep from working, and what to do."""
    names = {path.removeprefix(TEXTS).partition(".")[0] for path in texts}
    activities = known.activities.items() if known is not None else ()
    users = [name for name, one in sorted(activities) if not names.isdisjoint(templates_of(one))]
    sent_by = f"; {listed(users, 'and')} sends them" if users else ""
    return (
        f"texts of the plan have the names of others here: {listed(texts, 'and')}{sent_by}; with those it has errors: "
        "give these another name, in `template` too, and use the plan again"
    )


def _check_choice(plan: Plan, choose: Choose) -> None:
    if not choose.among:
        return
    if plan.kind == "journey":
        raise AskError("a journey competes step by step: `matching` and `worth` stand at its messages, by hand")
    if choose.group is None:
        raise AskError("what is chosen for each user competes in a group of policy.yaml: --matching names it")
    if (many := prod(map(len, choose.among.values()))) > MOST:
        raise AskError(f"{many} activities are too many to choose from: {MOST} at most")


def filled(plan: Plan, settings: Mapping[str, str]) -> Made:
    """Raises AskError."""
    values: dict[str, Given] = dict(plan.defaults())
    for name, text in settings.items():
        if name not in plan.parameters:
            hint = nearest(name, plan.parameters) or f"it has {listed(sorted(plan.parameters), 'and')}"
            raise AskError(f"the plan {plan.name} has no parameter {name}; {hint}")
        value, problem = given(text, plan.parameters[name])
        if value is None:
            raise AskError(problem or name)
        values[name] = value
    try:
        return make(plan, values)
    except YamlError as error:
        raise AskError(f"{plan.name}.yaml:{error.line}:{error.column}: {error.message}") from None


def change_of(files: Files, written: Written) -> Change:
    """A text that is there stays: it may have been edited, and other activities may send it. Raises AskError."""
    change = Change(dict(written.own), [])
    for path, text in written.texts.items():
        if path not in files:
            change.files[path] = text
        elif files[path] != text.encode():
            change.left.append(path)
    for path, wanted in written.shared.items():
        content = files.get(path, b"")
        before = content.decode() if isinstance(content, bytes) else ""
        after, other = merged(before, wanted)
        if path == CATALOGS:  # of the shop, whatever a plan would like it to be
            change.left.extend(f"{path}: {name}" for name in other)
        elif other:
            raise AskError(f"{path} has {listed(other, 'and')} with another meaning than the plan; rename it there")
        if after != before:
            change.files[path] = after
    return change


def put(folder: Path, change: Change) -> list[str]:
    """Writes the files of a change into the folder, and returns their paths. Raises InputError."""
    for path, text in change.files.items():
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise InputError("", str(folder / path), reason_of(error)) from None
    return list(change.files)
