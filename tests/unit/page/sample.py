"""Sections as a warehouse might answer them, one of each kind."""

from __future__ import annotations

from typing import Any

from kairos.engine.measure.lift import lift_rows
from kairos.engine.measure.money import money_row
from kairos.engine.measure.outcome import MoneyOutcome, MoneyTrial, Outcome, Trial

AS_OF = 1_762_646_400_000  # 2025-11-09T00:00Z
HALF = {"control": 0.5, "treated": 0.5}


def lift(activity: str, control: tuple[int, int], treated: tuple[int, int], **more: Any) -> dict[str, Any]:
    """`control`, `treated`: (reached the goal, users)."""
    outcomes = [
        Outcome(arm, value, 0, users)
        for arm, (reached, n) in (("control", control), ("treated", treated))
        for value, users in ((1, reached), (0, n - reached))
        if users
    ]
    whole = control[1] + treated[1]
    shares = {"control": control[1] / whole, "treated": treated[1] / whole} if whole else None
    if more.get("immature"):
        more.setdefault("matures_ms", AS_OF + 86_400_000)
    trial = Trial(activity, 1, outcomes, more.pop("shares", shares), **more)
    rows = [{"activity": activity, "epoch": 1, "metric": "goal", **row} for row in lift_rows(trial)]
    return section(f"lift/{activity}", "lift", rows, ["2 users had entries in both arms and were left out"])


def section(measure: str, kind: str, rows: list[dict[str, Any]], notes: list[str] | None = None) -> dict[str, Any]:
    sql = [f"SELECT count(*) FROM events WHERE type = '{kind}' AND 1 < 2"]
    return {"measure": measure, "kind": kind, "as_of": AS_OF, "rows": rows, "notes": notes or [], "sql": sql}


def variants(activity: str) -> dict[str, Any]:
    """Three texts without a control group: one is better than another, the third tells nothing yet."""
    arms = (("short", 400, 2_000), ("long", 280, 2_000), ("mid", 70, 400))
    outcomes = [Outcome(arm, value, 0, n) for arm, hit, of in arms for value, n in ((1, hit), (0, of - hit))]
    shares = {arm: of / 4_400 for arm, _, of in arms}
    rows = lift_rows(Trial(activity, 1, outcomes, shares), by_variant=True)
    told = [{"activity": activity, "epoch": 1, "metric": "goal", **row, "variant": row["arm"]} for row in rows]
    return {**section(f"lift/{activity}", "lift", told), "by": "variant"}


def reach(activity: str) -> dict[str, Any]:
    steps = [
        ("entered", 1_200, None, {}),
        ("reachable", 1_000, 0.833, {"control": 120, "unreachable": 80}),
        ("send", 700, 0.7, {"quiet_hours": 200, "cap:marketing": 90, "budget": 10}),
        ("sent", 690, 0.986, {}),
        ("delivered", 650, 0.942, {}),
        ("clicked", 90, 0.138, {}),
        ("goal", 61, 0.678, {}),
    ]
    rows = [
        {"activity": activity, "step": step, "occurrences": n, "users": n - 5, "of_previous": share, "lost": lost}
        for step, n, share, lost in steps
    ]
    return section(f"reach/{activity}", "reach", rows, ["nothing is assumed sent: 10 sends have no receipt"])


def money() -> dict[str, Any]:
    outcomes = [
        MoneyOutcome("control", 100, 30, 0, 1, 500),
        MoneyOutcome("control", 0, 0, 0, 0, 500),
        MoneyOutcome("treated", 100, 30, 10.04, 1, 600),
        MoneyOutcome("treated", 0, 0, 0.04, 0, 400),
    ]
    row = money_row("cart_left", [MoneyTrial(outcomes, HALF)])
    return section("money/cart_left", "money", [row])


def retention() -> list[dict[str, Any]]:
    rates = {0: 0.42, 1: 0.31, 3: 0.24, 7: 0.18, 14: 0.12, 30: 0.09}
    rows = [{"day": day, "starters": 1_000, "returned": int(rate * 1_000), "rate": rate} for day, rate in rates.items()]
    rows += [{"day": ">=7", "starters": 900, "returned": 400, "rate": 400 / 900}]
    weekly = [
        {
            "week": f"2025-10-{6 + 7 * week:02}",
            "day": day,
            "starters": 100 + week,
            "returned": None if day > 24 - 7 * week else 10,
            "rate": None if day > 24 - 7 * week else rate * (0.8 + week / 6),
        }
        for week in range(4)
        for day, rate in rates.items()
    ]
    return [section("retention", "retention", rows), {**section("retention", "retention", weekly), "by": "week"}]


def sections() -> list[dict[str, Any]]:
    credit = [
        {"model": model, "activity": activity, "channel": channel, "conversions": 12.5, "value": 1_250.0}
        for model in ("last", "first", "time_decay")
        for activity, channel in (("cart_left", "email"), ("cart_left", "push"), (None, None))
    ]
    lifecycle = [
        {
            "period": f"2025-10-{6 + 7 * week:02}",
            "new": 40 + week,
            "returning": 90 - 3 * week,
            "resurrecting": 12,
            "dormant": 30,
        }
        for week in range(4)
    ]
    told = {"group": "offers", "policy": "even", "choices": 900}
    choices = [
        {**told, "method": "observed", "effective": 900.0, "value": 1.5, "interval": (1.4, 1.6), "status": "told"},
        {**told, "method": "ips", "effective": 90.0, "value": None, "interval": None, "status": "too_few"},
    ]
    return [
        lift("cart_left", (60, 400), (1_330, 6_000)),
        lift("back_after_14d", (50, 200), (210, 800)),
        lift("nagging", (500, 5_000), (300, 5_000)),
        lift("lost_half", (50, 500), (50, 300), shares=HALF),
        lift("no_control", (0, 0), (20, 300)),
        lift("just_begun", (0, 0), (0, 0), immature=40),
        variants("no_control"),
        reach("cart_left"),
        money(),
        section("credit", "attribution", credit),
        *retention(),
        section("offers", "matching", choices),
        section("lifecycle", "lifecycle", lifecycle),
        section("activation", "activation", [{"starters": 300, "activated": 120, "rate": 0.4}]),
        section(
            "churn",
            "churn",
            [{"at_ms": AS_OF, "active_before": 200, "churned": 50, "rate": 0.25, "after": 2_592_000_000}],
        ),
        section(
            "repurchase",
            "repurchase",
            [
                {
                    "buyers": 500,
                    "matured": 300,
                    "repurchased": 120,
                    "rate": 0.4,
                    "median_days": 69,
                    "p25_days": 20,
                    "p75_days": None,
                }
            ],
        ),
        section("visits", "visits", [{"place": "s1", "visits": 30, "visitors": 20, "per_visitor": 1.5}]),
        section("nobody", "visits", []),
    ]
