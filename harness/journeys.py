"""Ten journeys over the clickstream of the example shop: every kind of step, exit, goal and entry."""

from __future__ import annotations

import shutil
from pathlib import Path

HOOK = "send: [{channel: webhook}]"

JOURNEYS = {
    "first_steps": f"""
trigger: {{event: home, as: came}}
goal: {{event: purchase, within: 14d}}
steps:
  - {{id: hello, {HOOK}}}
  - {{wait: 2d}}
  - {{id: tips, when: not clicked(hello), {HOOK}}}
""",
    "cart_series": f"""
trigger: {{event: add_to_cart, as: added}}
reenter: {{after: 7d}}
exit: {{event: purchase}}
data: {{platform: added.platform}}
steps:
  - {{wait: 4h}}
  - {{id: one, {HOOK}}}
  - {{wait: {{days: 1, at: "10:00"}}}}
  - {{id: two, send: [{{channel: push, template: cart_reminder}}, {{channel: email, template: cart_reminder}}]}}
  - {{wait: {{days: 2, at: "18:30", on: [mon, wed, fri]}}}}
  - {{id: three, when: skipped(two), {HOOK}}}
""",
    "by_session": f"""
trigger: {{event: product_view, as: seen, per: session_id}}
reenter: each
exit: [{{event: purchase}}]
steps:
  - {{id: back, wait_for: {{event: [product_view, compare], within: 6h}}, otherwise: [{{exit: cold}}]}}
  - {{id: ask, data: {{where: back.platform}}, {HOOK}}}
""",
    "after_purchase": f"""
trigger: {{event: purchase, as: bought}}
reenter: {{after: 1d}}
goal: {{event: review_page, within: 20d}}
steps:
  - {{wait: 3d}}
  - choose:
      - {{when: metric.purchases_365d >= 3, steps: [{{id: vip, {HOOK}}}, {{wait: 1d}}]}}
      - {{when: bought.platform == "mobile", steps: [{{id: mobile, {HOOK}}}]}}
  - {{id: review, send: [{{channel: email, template: cart_advice}}]}}
""",
    "texts": f"""
trigger: {{event: promo_page, as: promo}}
reenter: {{after: 2d}}
steps:
  - id: arms
    split:
      - {{name: a, weight: 2, steps: [{{id: first, {HOOK}}}, {{wait: 1d}}]}}
      - {{name: b, weight: 1, steps: []}}
  - {{id: last, when: not sent(first), {HOOK}}}
""",
    "night_owls": """
trigger: {event: search, as: asked}
reenter: {after: 3d}
limits: {quiet_hours: hold, caps: [marketing]}
steps:
  - {id: now, send: [{channel: in_app, template: compare_help}], data: {query: '"shoes"'}}
  - {wait: 2h}
  - {id: later, send: [{channel: email, template: cart_advice}]}
""",
    "strict": """
trigger: {event: payment_error, as: failed}
reenter: {after: 1h}
on_suppress: leave
limits: {budget: {sends: 60}}
steps:
  - {id: help, send: [{channel: sms, template: payment_unfinished}], data: {platform: failed.platform}}
  - {wait: 1h}
  - {id: again, send: [{channel: push, template: payment_unfinished}], data: {platform: failed.platform}}
""",
    "held_out": f"""
trigger: {{pattern: [{{event: wishlist_add, as: wish}}, {{absent: purchase}}], within: 1d}}
audience: {{control_group: 40%, not_in: [staff]}}
goal: {{event: purchase, within: 10d}}
steps:
  - {{id: wished, {HOOK}}}
  - {{wait: {{at: "09:15"}}}}
  - {{id: morning, {HOOK}}}
""",
    "asks_itself": f"""
trigger: {{event: support_chat, as: chat}}
reenter: {{after: 12h}}
exit: [{{sent: first_steps.tips}}, {{event: purchase}}]
steps:
  - {{id: sorry, {HOOK}}}
  - {{id: heard, wait_for: {{delivered: sorry, within: 1h}}, otherwise: [{{exit: silent}}]}}
  - {{id: page, wait_for: {{event: account_page, where: platform == chat.platform, within: 2d}}}}
  - {{id: more, when: exists(page.platform), {HOOK}}}
""",
    "long_way": f"""
trigger: {{event: catalog, as: c}}
exit: [{{event: purchase}}]
steps:
  - {{wait: 5d}}
  - {{id: a, when: in_crowd("keen_browsers"), {HOOK}}}
  - {{wait: {{days: 5}}}}
  - choose: [{{when: sent(a), steps: [{{exit: keen}}]}}]
  - {{wait: 20d}}
  - {{id: b, {HOOK}}}
""",
}


def rules_with_journeys(folder: Path) -> Path:
    """The example rules, and these journeys among them."""
    shutil.copytree("rules", folder, ignore=shutil.ignore_patterns(".*"))
    place = folder / "journeys" / "test"
    place.mkdir(parents=True)
    for name, text in JOURNEYS.items():
        (place / f"{name}.yaml").write_text(f"journey: {name}\nstate: live\n{text.lstrip()}")
    return folder
