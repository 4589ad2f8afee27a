"""The library that Kairos ships, and a small one of a test."""

from __future__ import annotations

from pathlib import Path

from kairos.adapters.rules.plans import open_library
from kairos.engine.plan.plan import Plan, read_plan
from kairos.engine.rule.text.report import Report
from tests.unit.project.snippets import ROOT

SHIPPED = ROOT / "plans"
LIBRARY = open_library(SHIPPED)

HELLO = """plan: hello
title: A greeting
why: People like it.
parameters:
  began: {type: event, default: signup}
  wait: {type: duration, range: [1m, 2d], default: 1h}
  coupon: {type: string, default: "IT'S 5"}
  topic: {type: name, default: null}
requires:
  events: [{$: began}]
  props: {$began: [way]}
  profile: [email]
activity:
  topic: {$: topic}    # who agreed
  # Not at once.
  trigger:
    pattern:
      - {event: {$: began}}   # the first
      - {absent: bye}
    within: {$: wait}
  data: {coupon: {$: coupon, literal: true}}
  send: [{channel: email, template: hello}]
  goal: {event: purchase, within: 7d}
metrics:
  seen_90d: {count: {$: began}, window: 90d}
templates:
  hello.email: |
    Subject: {{ coupon }}

    Hello.
tests:
  start: 2026-03-02T12:00
  profiles: {u1: {email: one@example.com}}
  tests:
    - name: greeted
      events:
        - {at: 0s, $began: {user_id: u1, way: door}}
        - {at: {$: wait, minus: 1s}, $began: {user_id: u1, way: door}}
      expect:
        - {at: {$: wait}, outcome: send, data: {coupon: {$: coupon}}}
        - {at: {$: wait, plus: {$: wait, minus: 1s}}, outcome: send}
"""


def findings(text: str) -> list[str]:
    """What is said of a plan, as LINE:COLUMN LEVEL CODE: MESSAGE."""
    report = Report("hello.yaml")
    read_plan(text.encode(), report)
    return [f"{f.line}:{f.column} {f.level} {f.code}: {f.message}" for f in sorted(report.findings)]


def plan(text: str = HELLO) -> Plan:
    found = read_plan(text.encode(), Report("hello.yaml"))
    assert found is not None, findings(text)
    return found


def shelf(folder: Path, text: str = HELLO) -> Path:
    """A library of this one plan, and an empty rule folder beside it."""
    (folder / "plans").mkdir(parents=True, exist_ok=True)
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "plans" / "hello.yaml").write_text(text)
    return folder
