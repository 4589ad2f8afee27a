"""Five calendars beside the example rules: a blast, every day, every week, every month, and a date of the profile."""

from __future__ import annotations

from pathlib import Path

SCHEDULES = {
    "activities/calendar/spring_sale.yaml": """activity: spring_sale
state: live
trigger: {schedule: {at: 2024-02-02T10:00, timezone: user}, crowd: buyers}
pace: {rate: 4 per 10m, waves: [20%, 100%], every: 1h}
limits: {caps: []}
send: [{channel: email, template: cart_advice}]
goal: {event: purchase, within: 3d}
""",
    "activities/calendar/good_morning.yaml": """activity: good_morning
state: live
trigger: {schedule: {daily: "09:00", timezone: Europe/Berlin}, crowd: buyers}
limits: {caps: [], quiet_hours: drop}
data: {slot: slot.slot, orders: metric.purchases_365d}
send: [{channel: push, template: cart_reminder}, {channel: webhook, after: 10m, unless: delivered}]
""",
    "activities/calendar/weekly_look.yaml": """activity: weekly_look
state: live
trigger: {schedule: {weekly: [mon, thu], time: "23:30"}}
limits: {caps: [], quiet_hours: hold, once: 6d}
audience: {control_group: 20%}
send: [{channel: webhook}]
""",
    "journeys/calendar/month_end.yaml": """journey: month_end
state: live
trigger: {schedule: {monthly: 31, time: "08:30", timezone: Europe/Berlin}}
exit: {event: purchase}
limits: {caps: []}
steps:
  - {id: sums, send: [{channel: webhook}]}
  - {wait: 1d}
  - {id: again, when: not clicked(sums), send: [{channel: in_app, template: compare_help}], data: {query: '"sums"'}}
""",
    "activities/calendar/birthday.yaml": """activity: birthday
state: live
trigger: {schedule: {yearly: profile.birthday, time: "10:00", before: 1d}}
send: [{channel: webhook}]
""",
}


def add_schedules(folder: Path) -> Path:
    """To rules that `rules_with_journeys` has written."""
    for name, text in SCHEDULES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with (folder / "profile.yaml").open("a") as fields:
        fields.write("birthday: date\n")
    return folder
