"""crowds.yaml: what a crowd asks, and whether whoever is asked can tell: the job, or the warehouse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlglot import exp

from kairos.engine.crowd.past import check_history
from kairos.engine.expression.history import RFM
from kairos.engine.expression.sql.pieces import NotInSql
from kairos.engine.expression.tree import Call, Literal, walk
from kairos.engine.profile.fields import OWN_FIELDS
from kairos.engine.rule.fields.crowds import CROWD
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint import scopes
from kairos.engine.rule.lint.expressions import CONDITION, NUMBER, Checked, check_expression
from kairos.engine.rule.lint.folder.cycles import check_cycles, check_depth
from kairos.engine.rule.lint.per_metrics import check_crowd_metrics
from kairos.engine.rule.lint.references import crowd_parts
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.crowds import SQL_FOLDER, kept_names, listed_names, part_names, parts_in
from kairos.engine.rule.text.report import Report, listed, nearest
from kairos.engine.warehouse.select import (
    Schema,
    SqlProblem,
    column_problems,
    overflow_problems,
    parsed,
    problems_of,
    selected,
)
from kairos.engine.warehouse.tables import PARTITION, TABLES

_COLUMN = {"number": "DOUBLE", "integer": "BIGINT", "boolean": "BOOLEAN", "time": "BIGINT"}
_ONLY_WITH = {"by": ("limit",), "of": ("sample", "limit")}


def check_crowds(crowds: Value, world: World, reports: Mapping[str, Report]) -> None:
    """`reports`: path -> report; those of crowds.yaml and of the files of SQL crowds are added to."""
    report = reports["crowds.yaml"]
    mentions = {name: {part.data for part in crowd_parts(crowd)} for name, crowd in crowds.items()}
    kept = kept_names(crowds)
    known = kept | listed_names(crowds)
    for name, crowd in crowds.items():
        check = _Check(name in kept, world, report, known)
        check.named(crowds, crowd)
        for checked in check.found:
            mentions[name] |= checked.expression.reads.crowds
    check_cycles(crowds, mentions, report)
    check_depth(crowds, mentions, report)
    _check_files(crowds, world, reports)


class _Check:
    """Of one named crowd. `known`: the crowds that the warehouse knows. `found`: the expressions that can be read."""

    def __init__(self, kept: bool, world: World, report: Report, known: frozenset[str]) -> None:
        self.found: list[Checked] = []
        self._kept, self._world, self._report, self._known = kept, world, report, known

    def named(self, crowds: Value, crowd: Value) -> None:
        refresh = crowd.find("refresh")
        if refresh and not self._kept:
            live = sorted({name for name in part_names(crowd, crowds) if name not in self._known})
            if "limit" not in crowd and live:
                message = f"refresh: '{live[0]}' is asked live, so this crowd is, too: nothing is refreshed"
                hint = f"leave it out, or give '{live[0]}' a `refresh`"
                self._report.warning(crowd.keys["refresh"], "asked-live", message, hint)
        if (initial := crowd.find("initial")) and not self._kept:
            self._report.error(initial.node, "wrong-form", "initial: a crowd that is asked live has no snapshots",
                               "refresh: 1d")  # fmt: skip
        for key in ("seed", "exclude"):
            for name in _each(crowd.find("lookalike", key)):
                self._must_be_kept(name, f"lookalike: {key}")
        self._crowd(crowd)

    def _crowd(self, crowd: Value) -> None:
        for key, owners in _ONLY_WITH.items():
            kinds = [kind for kind in crowd.keys if kind in CROWD.choose]
            if key in crowd and kinds and not any(owner in kinds for owner in owners):
                message = f"{key}: it only goes with {listed(owners)}"
                self._report.error(crowd.keys[key], "wrong-form", message)
        for key in ("sql", "limit"):
            if key in crowd and not self._kept:
                message = f"{key}: the warehouse computes it: 'refresh' is missing, or what it is taken of is live"
                self._report.error(crowd.keys[key], "needs-refresh", message, "refresh: 1d")
        if (file := crowd.find("sql")) and (path := f"{SQL_FOLDER}/{file.data}") not in self._world.sql:
            names = [known.removeprefix(f"{SQL_FOLDER}/") for known in self._world.sql]
            self._report.error(file.node, "no-file", f"sql: there is no file {path}", nearest(file.data, names))
        if where := crowd.find("where"):
            self._expression(where, "where", CONDITION)
        if (by := crowd.find("by")) and self._kept:
            self._expression(by, "by", NUMBER)
        for part in parts_in(crowd):
            if not isinstance(part.data, str):
                self._nested(part)

    def _nested(self, part: Value) -> None:
        for key in ("refresh", "initial", "lookalike"):
            if key in part:
                self._report.error(part.keys[key], "wrong-form", f"{key}: only a crowd with a name can have it")
        if (members := part.find("members")) and isinstance(members.data, str):
            message = "members: who keeps a crowd by hand has to know its name"
            self._report.error(members.node, "wrong-form", message, "give it a name of its own")
        self._crowd(part)

    def _expression(self, value: Value, field: str, types: tuple[str, ...]) -> None:
        names = scopes.history_names(self._world) if self._kept else scopes.crowd_names(self._world)
        found = check_expression(value, field, names, self._world, self._report, types)
        if found is None:
            return
        self.found.append(found)
        for prior in sorted(found.expression.reads.priors):
            message = f"{field}: prior.{prior} is a metric before an event; a crowd has no event"
            self._report.error(value.node, "no-event", message, f"metric.{prior}")
        if not self._kept:
            check_crowd_metrics(found, self._world)
            return
        try:
            check_history(found.expression.tree)
        except NotInSql as error:
            self._report.error(value.node, "not-in-warehouse", f"{field}: {error}")
        for node in walk(found.expression.tree):
            if isinstance(node, Call) and node.function == "in_crowd" and isinstance(node.arguments[0], Literal):
                asked = str(node.arguments[0].value)
                if asked in self._world.crowds and asked not in self._known:
                    message = f"{field}: '{asked}' is asked live; the warehouse knows kept crowds only"
                    self._report.inside(value.node, node.start, "error", "asked-live", message, None)

    def _must_be_kept(self, name: Value, key: str) -> None:
        if name.data in self._world.crowds and name.data not in self._known:
            message = f"{key}: '{name.data}' is asked live; the warehouse knows kept crowds only"
            self._report.error(name.node, "asked-live", message, f"give '{name.data}' a `refresh`")


def _each(value: Value | None) -> list[Value]:
    if value is None:
        return []
    return value.each() if isinstance(value.data, list) else [value]


# -------------------------------------------------------------------------------------------------- files of SQL
def _check_files(crowds: Value, world: World, reports: Mapping[str, Report]) -> None:
    used = {f"{SQL_FOLDER}/{name}" for name in _files_of(crowds)}
    for path, text in world.sql.items():
        report = reports[path]
        if path not in used:
            report.at(1, 1, "warning", "unused-file", "no crowd in crowds.yaml has it as its `sql`")
        for problem in _problems(text, world):
            report.at(problem.line, problem.column, "error", "bad-sql", problem.message, problem.hint)


def _files_of(crowds: Value) -> Iterator[str]:
    waiting = [crowd for _, crowd in crowds.items()]
    while waiting:
        crowd = waiting.pop()
        if isinstance(crowd.data, dict):
            if file := crowd.find("sql"):
                yield file.data
            waiting += parts_in(crowd)


def _problems(text: str, world: World) -> Iterator[SqlProblem]:
    tree = parsed(text)
    if isinstance(tree, SqlProblem):
        yield tree
        return
    schema = schema_of(world.profile)
    found = list(problems_of(tree, schema))
    if not found and isinstance(tree, exp.Query):
        found = list(column_problems(tree, schema)) or [*_other_columns(tree, schema), *overflow_problems(tree)]
    yield from found


def _other_columns(tree: exp.Query, schema: Schema) -> Iterator[SqlProblem]:
    columns = selected(tree, schema)
    if columns is not None and columns != ["user_id"]:
        said = ", ".join(columns[:8]) or "nothing"
        yield SqlProblem(f"it must give one column, user_id; it gives {said}", "SELECT user_id FROM ...")


def schema_of(profile: Mapping[str, str] | None) -> dict[str, dict[str, str] | None]:
    """Table -> columns, as a SQL crowd sees them. Without a profile.yaml nobody knows those of profiles."""
    schema: dict[str, dict[str, str] | None] = {}
    for table in TABLES.values():
        types: dict[str, str] = {**table.types, **({PARTITION: "DATE"} if table.time else {})}
        schema[table.name] = types
    fields = {**OWN_FIELDS, **(profile or {})}
    known = {"user_id": "VARCHAR", **{name: _COLUMN.get(type_, "VARCHAR") for name, type_ in fields.items()}}
    schema["profiles"] = None if profile is None else known
    schema["rfm"] = {"user_id": "VARCHAR", **{n: "VARCHAR" if t == "string" else "BIGINT" for n, t in RFM.items()}}
    return schema
