"""A journey as a picture: every step is there, every way leads somewhere, and the text cannot break out."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from kairos.engine.journey.draw import graph_of, mermaid, stops_of, svg
from tests.engine_kit import rules
from tests.unit.journey.test_journeys import journey

STEPS = """hello
{id: seen, wait_for: {event: view, within: 3d}, otherwise: [{exit: cold}]}
{choose: [{when: in_.n > 5 and in_.city == "<b>", steps: [tips]}]}
{id: texts, split: [{name: a, weight: 1, steps: [last]}, {name: b, weight: 3, steps: []}]}
{wait: {days: 2, at: "10:00", on: [mon]}}"""
TEXT = journey(
    STEPS.replace("[tips]", "[{id: tips, send: [{channel: webhook}]}]").replace(
        "[last]", "[{id: last, when: not sent(tips), send: [{channel: webhook}]}]"
    ),
    "exit: [{event: buy}, {event: refund}]\n",
)
MERMAID = """flowchart TD
  entry(["in"])
  s1["hello<br>webhook"]
  s2[/"wait 3d for<br>view"/]
  s3(["exit cold"])
  s4{"choose"}
  s5["tips<br>webhook"]
  s6{"texts"}
  s7["last<br>webhook<br>when not sent(tips)"]
  s8[/"wait 2 days, 10:00 on Mon"/]
  finish(["end<br>exit buy, refund"])
  entry --> s1
  s1 --> s2
  s2 -->|"does not"| s3
  s2 -->|"comes"| s4
  s4 -->|"in_.n #gt; 5 and in_.city == #quot;#lt;b#gt;#quot;"| s5
  s4 -->|"else"| s6
  s5 --> s6
  s6 -->|"a 25%"| s7
  s7 --> s8
  s6 -->|"b 75%"| s8
  s8 --> finish
"""


def test_mermaid_has_every_step_and_every_way() -> None:
    rule_set = rules(TEXT)
    assert mermaid(graph_of(rule_set.journeys["j"], rule_set)) == MERMAID


def test_the_svg_is_well_formed_and_no_box_covers_another() -> None:
    rule_set = rules(TEXT)
    graph = graph_of(rule_set.journeys["j"], rule_set)
    root = ET.fromstring(svg(graph, "a <b> & c"))
    boxes = list(root.iter("{http://www.w3.org/2000/svg}rect"))
    places = {(box.attrib["x"], box.attrib["y"]) for box in boxes}
    assert len(places) == len(boxes) == len(graph.boxes) == 10
    arrows = [path for path in root.iter("{http://www.w3.org/2000/svg}path") if "marker-end" in path.attrib]
    assert len(arrows) == len(graph.arrows) == 11


def test_where_people_can_stay_is_said_in_words() -> None:
    """The console showed the keys of steps without an id, as `+1`."""
    assert list(stops_of(rules(TEXT).journeys["j"]).values()) == [
        "hello", "seen", "tips", "last", "wait 2 days, 10:00 on Mon",
    ]  # fmt: skip
