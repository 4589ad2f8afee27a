"""The page: an overview of all activities, then every measure with its definition, notes and SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from liquid import DictLoader, Environment
from markupsafe import Markup

from kairos.apps.page import effects, people
from kairos.apps.page.definitions import FIELDS, KINDS
from kairos.apps.page.numbers import count, moment
from kairos.apps.page.panel import Column, Panel, Table
from kairos.apps.page.verdict import LABELS, level, verdict

Section = Mapping[str, Any]
"""One measure: `measure kind as_of rows notes` as in the JSON, `sql`: what was asked of the warehouse, and `by`: what
its rows are told by, or None."""

STYLES = ("pictures.css", "page.css")
"""The first is of tables and pictures alone; the console has it as well."""

_PANELS: dict[str, Callable[[Sequence[effects.Row]], Panel]] = {
    "reach": effects.reach,
    "lift": effects.lift,
    "money": effects.money,
    "retention": people.retention,
    "lifecycle": people.lifecycle,
    "activation": people.shares("starters", "activated"),
    "churn": people.shares("active_before", "churned"),
    "repurchase": people.shares("buyers", "matured", "repurchased"),
    "visits": people.visits,
    "matching": effects.matching,
}


def render(sections: Sequence[Section], title: str = "What it brought") -> str:
    """HTML, self-contained. The same sections give the same bytes."""
    folder = files("kairos.apps.page")
    texts = {name: folder.joinpath(f"{name}.liquid").read_text(encoding="utf-8") for name in ("page", "table")}
    template = Environment(autoescape=True, loader=DictLoader(texts)).get_template("page")
    as_of = max((section["as_of"] for section in sections), default=None)
    lifts = latest_lifts(sections)
    return template.render(
        title=title,
        style=Markup("".join(folder.joinpath(name).read_text(encoding="utf-8") for name in STYLES)),
        as_of=None if as_of is None else _time(as_of),
        overview=_overview(sections, lifts).drawn(),
        sections=[drawn(section, lifts) for section in sections],
        kinds=[{"name": name, "text": text} for name, text in KINDS.items()],
        fields=[{"name": name, "label": name.replace("_", " "), "text": text} for name, text in FIELDS.items()],
    )


def latest_lifts(sections: Sequence[Section]) -> dict[str, effects.Row]:
    """Activity -> the row of its newest epoch, all variants together; measures of the goal itself go first."""
    found: dict[str, effects.Row] = {}
    for section in sections:
        if section["kind"] == "lift":
            own = [row for row in section["rows"] if row["arm"] == "treated" and next(iter(row)) == "activity"]
            for row in own[-1:]:
                if row["activity"] not in found or section["measure"] == f"lift/{row['activity']}":
                    found[row["activity"]] = row
    return found


def _time(as_of: Any) -> str:
    return moment(as_of) if isinstance(as_of, int) else str(as_of)


def _overview(sections: Sequence[Section], lifts: Mapping[str, effects.Row]) -> Panel:
    reached = {
        row["activity"]: {r["step"]: r for r in section["rows"]}
        for section in sections
        if section["kind"] == "reach"
        for row in section["rows"][:1]
    }
    table = Table(
        [
            Column("activity", "", "name"),
            Column("entered", "entered"),
            Column("sent"),
            Column("without it", "anyway"),
            Column("with it", "with_it"),
            Column("difference", "difference", "wide"),
            Column("", "", "status"),
            Column("what can be said", "", "says"),
        ]
    )
    scale = effects.scale_of([row for row in lifts.values() if row["status"] not in ("too_few", "unsound")])
    for activity in sorted({*reached, *lifts}):
        steps, row = reached.get(activity, {}), lifts.get(activity)
        numbers = [_entered(steps), _sends(steps)]
        name = Markup('<a href="#{}">{}</a>').format(_anchor(f"lift/{activity}"), activity)
        if row is None:
            table.rows.append([name, *numbers, "–", "–", "", "", "It has no goal, so there is nothing to compare."])
            continue
        label = Markup('<span class="label {}">{}</span>').format(row["status"], LABELS[row["status"]])
        sound = row["status"] != "unsound"
        means = [level(row, row[mean] if sound else None) for mean in ("mean_control", "mean_treated")]
        table.rows.append([name, *numbers, *means, effects.effect(row, scale), label, verdict(row)])
    return Panel(tables=[table])


def _entered(steps: Mapping[str, effects.Row]) -> str:
    return count(steps["entered"]["occurrences"]) if "entered" in steps else "–"


def _sends(steps: Mapping[str, effects.Row]) -> str:
    """Of a journey: all its messages."""
    sent = [row["occurrences"] for step, row in steps.items() if step == "send" or step.endswith(" sent")]
    return count(sum(sent)) if sent else "–"


def drawn(section: Section, lifts: Mapping[str, effects.Row]) -> dict[str, Any]:
    """For a template. `lifts`: as `latest_lifts` finds them."""
    rows, kind = section["rows"], section["kind"]
    if kind == "attribution":
        panel = effects.attribution(rows, {name: effects.increment(row) for name, row in lifts.items()})
    else:
        panel = _PANELS[kind](rows)
    by = section.get("by")
    return {
        "measure": f"{section['measure']} by {by}" if by else section["measure"],
        "kind": kind,
        "anchor": _anchor(f"{section['measure']}-{by}" if by else section["measure"]),
        "notes": section["notes"],
        "sql": section.get("sql") or [],
        "panel": panel.drawn(),
    }


def _anchor(measure: str) -> str:
    return measure.replace("/", "-").replace(".", "-")
