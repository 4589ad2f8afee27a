"""A journey as a picture: a graph of its steps, as Mermaid text or as an SVG that needs nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from kairos.engine.rule.journey import (
    Choose,
    Journey,
    JourneyStep,
    Leave,
    Message,
    Split,
    Wait,
    WaitFor,
    every_step,
    parts_of,
)
from kairos.engine.rule.model import Activity, RuleSet
from kairos.engine.rule.text.scalars import spell_duration

ENTRY, END = "entry", "finish"
"""Kinds and names of the first and the last box. Mermaid has a word `end` of its own."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True)
class Box:
    """One step. `kind`: entry, send, wait, wait_for, choose, split, exit or end. `row` from the top, `column` from the
    left, both from 0."""

    name: str
    kind: str
    text: str
    row: int
    column: int


@dataclass(frozen=True)
class Arrow:
    start: str
    end: str
    text: str = ""


@dataclass
class Graph:
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)

    def box(self, kind: str, text: str, row: int, column: int, name: str | None = None) -> str:
        name = name or f"s{len(self.boxes)}"
        self.boxes.append(Box(name, kind, text, row, column))
        return name


Open = list[tuple[str, str]]
"""Arrows that have no end yet: where they start, and what stands on them."""


def graph_of(journey: Journey, rules: RuleSet) -> Graph:
    """Ways side by side, joined behind the step that they part at."""
    graph = Graph()
    entry = rules.activities[journey.name]
    start = graph.box(ENTRY, _trigger(entry), 0, 0, ENTRY)
    row, ends = _steps(graph, journey.steps, rules, journey, [(start, "")], 1, 0)
    graph.box(END, _end(journey, entry), row, 0, END)
    _join(graph, ends, END)
    return graph


def _steps(
    graph: Graph, steps: tuple[JourneyStep, ...], rules: RuleSet, journey: Journey, ends: Open, row: int, column: int
) -> tuple[int, Open]:
    """Draws them below `row`; the first row that is free, and the arrows that lead out."""
    for step in steps:
        if not ends:
            break
        name = graph.box(_kind(step), _text(step, rules, journey), row, column)
        _join(graph, ends, name)
        row, ends = row + 1, [(name, "")]
        if isinstance(step, Leave):
            ends = [] if step.when is None else [(name, "else")]
        elif parts := parts_of(step):
            row, ends = _ways(graph, step, name, parts, rules, journey, row, column)
    return row, ends


def _ways(
    graph: Graph, step: JourneyStep, name: str, parts: tuple[tuple[JourneyStep, ...], ...], rules: RuleSet,
    journey: Journey, row: int, column: int,
) -> tuple[int, Open]:  # fmt: skip
    """Each way in a column of its own, from the left."""
    if isinstance(step, WaitFor) and not parts[0]:
        return row, [(name, "")]
    ends: Open = [(name, _past(step))] if _past(step) else []
    lowest, place = row, column + (1 if ends else 0)
    for label, part in zip(_labels(step), parts, strict=True):
        below, out = _steps(graph, part, rules, journey, [(name, label)], row, place)
        ends += out
        lowest = max(lowest, below)
        place = max((box.column for box in graph.boxes), default=place) + 1
    return lowest, ends


def _join(graph: Graph, ends: Open, name: str) -> None:
    graph.arrows += [Arrow(start, name, text) for start, text in ends]


_KINDS: dict[type, str] = {Message: "send", Wait: "wait", WaitFor: "wait_for", Choose: "choose", Split: "split"}


def _kind(step: JourneyStep) -> str:
    return _KINDS.get(type(step), "exit")


def _past(step: JourneyStep) -> str:
    """What stands on the arrow that leads past all ways; empty: there is none."""
    if isinstance(step, WaitFor):
        return "comes"
    if isinstance(step, Choose) and step.branches and step.branches[-1].when is not None:
        return "else"
    return ""


def _labels(step: JourneyStep) -> list[str]:
    match step:
        case WaitFor():
            return ["does not"]
        case Choose(branches=branches):
            return ["else" if branch.when is None else _condition(branch.when) for branch in branches]
        case Split(arms=arms):
            whole = sum(arm.weight for arm in arms)
            return [f"{arm.name} {arm.weight / whole:.0%}" for arm in arms]
    return []


def _condition(condition: object) -> str:
    return condition if isinstance(condition, str) else "JavaScript"


def stops_of(journey: Journey) -> dict[str, str]:
    """Key of each step at which somebody can stay -> its id, or what it is: the key of one without an id is its place
    behind one that has."""
    steps = [step for step in every_step(journey.steps) if isinstance(step, Wait | WaitFor | Message)]
    return {step.key: _stop(step) for step in steps}


def _stop(step: Wait | WaitFor | Message) -> str:
    if "+" not in step.key:
        return step.key
    if isinstance(step, WaitFor):
        return f"wait {spell_duration(step.within)} for {' or '.join(step.event.types)}"
    return f"wait {_wait(step)}" if isinstance(step, Wait) else step.key


def _text(step: JourneyStep, rules: RuleSet, journey: Journey) -> str:
    said = _said(step, rules, journey)
    return said if step.when is None else f"{said}\nwhen {_condition(step.when)}"


def _said(step: JourneyStep, rules: RuleSet, journey: Journey) -> str:
    match step:
        case Message(key=key):
            sends = rules.activities[journey.part(key)].send
            return f"{key}\n{', else '.join(send.channel for send in sends)}"
        case Wait():
            return f"wait {_wait(step)}"
        case WaitFor():
            return f"wait {spell_duration(step.within)} for\n{' or '.join(step.event.types)}"
        case Leave(reason=reason):
            return f"exit {reason}"
    return step.key if "+" not in step.key else "choose" if isinstance(step, Choose) else "split"


def _wait(step: Wait) -> str:
    if step.until is not None:
        shift = f"{spell_duration(abs(step.shift))} {'before' if step.shift < 0 else 'after'} " if step.shift else ""
        return f"until {shift}{step.until}"
    if not step.days and step.at is None:
        return spell_duration(step.span)
    clock = "" if step.at is None else f"{step.at // 60:02}:{step.at % 60:02}"
    days = f"{step.days} day{'s' if step.days > 1 else ''}" if step.days else "until"
    days += (", " if step.days else " ") if clock else ""
    on = f" on {', '.join(_DAYS[day] for day in step.on)}" if step.on else ""
    return f"{days}{clock}{on}"


def _trigger(entry: Activity) -> str:
    return " then ".join(
        f"{'' if step.kind == 'event' else 'no '}{' or '.join(step.types)}" for step in entry.pattern.steps
    )


def _end(journey: Journey, entry: Activity) -> str:
    exits = list(dict.fromkeys(event_type for event in journey.exits for event_type in event.types))
    lines = ["end"]
    if entry.goal is not None:
        lines.append(f"goal {' or '.join(entry.goal.events)}")
    return "\n".join([*lines, *([f"exit {', '.join(exits)}"] if exits else [])])


# ------------------------------------------------------------------------------------------------------------ Mermaid
_SHAPES = {
    ENTRY: '(["{}"])', END: '(["{}"])', "send": '["{}"]', "wait": '[/"{}"/]', "wait_for": '[/"{}"/]',
    "choose": '{{"{}"}}', "split": '{{"{}"}}', "exit": '(["{}"])',
}  # fmt: skip


def mermaid(graph: Graph) -> str:
    """A flowchart, as Markdown viewers draw it."""
    lines = ["flowchart TD"]
    for box in graph.boxes:
        left, right = _SHAPES[box.kind].replace("{{", "{").replace("}}", "}").split("{}", 1)
        lines.append(f"  {box.name}{left}{_quoted(box.text)}{right}")
    for arrow in graph.arrows:
        label = f'|"{_quoted(arrow.text)}"|' if arrow.text else ""
        lines.append(f"  {arrow.start} -->{label} {arrow.end}")
    return "\n".join(lines) + "\n"


_ESCAPED = {"&": "#amp;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "\n": "<br>"}


def _quoted(text: str) -> str:
    return (
        text.replace("&", "#amp;")
        .replace('"', "#quot;")
        .replace("<", "#lt;")
        .replace(">", "#gt;")
        .replace("\n", "<br>")
    )


# ---------------------------------------------------------------------------------------------------------------- SVG
_WIDTH, _HEIGHT, _ACROSS, _DOWN, _MARGIN = 190, 54, 240, 104, 20
_MOST = 30
"""Characters of a line in a box; the rest is in its tooltip."""
STYLE = """
.journey rect,.journey path{fill:none;stroke:#667;stroke-width:1.2}.journey rect{fill:#f5f7fa}.journey .tip{fill:#667}
.journey .send{fill:#e3f0ff}.journey .exit{fill:#fbe9e7}.journey .entry,.journey .finish{fill:#e7f6e7}
.journey .choose,.journey .split{fill:#fff6da}.journey text{font:12px system-ui,sans-serif;fill:#223}
.journey .label{fill:#556;font-size:11px}
@media(prefers-color-scheme:dark){.journey rect{fill:#2b2f36}.journey .send{fill:#1f3a57}
.journey .entry,.journey .finish{fill:#1f4428}.journey .exit{fill:#552a26}.journey .choose,.journey .split{fill:#4d431d}
.journey text{fill:#eee}.journey .label{fill:#bbc}}
"""


def svg(graph: Graph, title: str, *, alone: bool = True) -> str:
    """Light and dark. `alone`: one file with its own style; else the page that it stands in has STYLE."""
    place = {box.name: (_MARGIN + box.column * _ACROSS, _MARGIN + box.row * _DOWN) for box in graph.boxes}
    width = max(x for x, _ in place.values()) + _WIDTH + _MARGIN
    height = max(y for _, y in place.values()) + _HEIGHT + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' class="journey" role="img" aria-label="{escape(title)}">',
        f"<title>{escape(title)}</title>{f'<style>{STYLE}</style>' if alone else ''}",
        '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
        *(_arrow(arrow, place) for arrow in graph.arrows),
        *(_box(box, place[box.name]) for box in graph.boxes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(box: Box, place: tuple[int, int]) -> str:
    x, y = place
    lines = box.text.split("\n")[:3]
    top = y + _HEIGHT / 2 + 4 - 7.5 * (len(lines) - 1)
    texts = "".join(
        f'<text x="{x + _WIDTH / 2:g}" y="{top + 15 * n:g}" text-anchor="middle">{escape(_cut(line))}</text>'
        for n, line in enumerate(lines)
    )
    round_ = 26 if box.kind in (ENTRY, END, "exit") else 5
    shape = f'<rect class="{box.kind}" x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="{round_}"/>'
    return f"<g><title>{escape(box.text)}</title>{shape}{texts}</g>"


def _arrow(arrow: Arrow, place: dict[str, tuple[int, int]]) -> str:
    """From below one box to above another; past the boxes in between on the left."""
    (left, y1), (x2, y2) = place[arrow.start], place[arrow.end]
    x1, x2, between = left + _WIDTH // 2, x2 + _WIDTH // 2, y2 - y1 > _DOWN
    if x1 == x2 and between and any(left == x and y1 < y < y2 for x, y in place.values()):
        path = f"M{left} {y1 + _HEIGHT // 2}H{left - 12}V{y2 - 16}H{x2}V{y2}"
        spot = (left - 8, y1 + _HEIGHT + 14)
    else:
        turn = y1 + _HEIGHT + 34 if x2 > x1 or not between else y2 - 16
        path = f"M{x1} {y1 + _HEIGHT}V{turn}H{x2}V{y2}"
        spot = (x2 + 5, turn + 13)
    label = f'<text class="label" x="{spot[0]}" y="{spot[1]}">{escape(_cut(arrow.text))}</text>' if arrow.text else ""
    return f'<path d="{path}" marker-end="url(#a)"/>{label}'


def _cut(text: str) -> str:
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"
