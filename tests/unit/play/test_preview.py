"""`kairos preview`: the messages of an activity as one user would get them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from kairos.apps.cli import app

START = 1_763_778_000_000  # 2025-11-22T02:20:00Z
MINUTE = 60_000
FILES = {
    "policy.yaml": """timezone: Asia/Shanghai
quiet_hours: {from: "22:00", to: "08:00"}
lists: {black: [villain]}
""",
    "profile.yaml": "name: string\nphone: string\nemail: string\nunsubscribed: list\ntimezone: string\n",
    "materials.yaml": "order_box: {image: https://cdn.example.com/box.png}\n",
    "activities/t/unpaid.yaml": """activity: unpaid
title: An order waits
trigger:
  pattern: [{event: order}, {absent: paid}]
  within: 10m
data: {number: order.number}
limits: {LIMITS}
send:
  - {channel: sms, template: unpaid}
  - {channel: email, template: unpaid, after: 5m, unless: read, data: {city: order.city}}
  - {channel: webhook}
""",
    "activities/t/unpaid.test.yaml": """start: 2025-11-22T10:20
profiles: {u1: {name: Ada, phone: "+1", email: a@example.com}}
tests:
  - name: paid
    events: [{at: 0s, order: {user_id: u1, number: 7, city: Ulm}}, {at: 1m, paid: {user_id: u1}}]
    expect: []
  - name: waits
    events: [{at: 0s, order: {user_id: u1, number: 8, city: Ulm}}]
    expect: [{at: 10m, outcome: send, channel: sms}]
""",
    "activities/t/watch.yaml": "activity: watch\ntrigger: {event: order}\n",
    "activities/t/bare.yaml": "activity: bare\ntrigger: {event: order}\nsend: [{channel: console}]\n",
    "templates/unpaid.sms.liquid": "{{ profile.name | default: 'Hello' }}, order {{ number }} waits.",
    "templates/unpaid.email.liquid": """Subject: Order {{ number }}

To {{ city }}: {{ material.order_box.image }}
""",
}


def write_rules(tmp_path: Path, limits: str = "", **changed: str) -> Path:
    """`changed`: other content of files, by the last part of their names without suffix."""
    folder = tmp_path / "rules"
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(changed.get(path.name.removesuffix(".yaml"), text).replace("LIMITS", limits))
    return folder


def run(folder: Path, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["preview", *map(str, arguments), "--rules", str(folder)])


def write_profiles(tmp_path: Path, **profiles: dict[str, Any]) -> Path:
    path = tmp_path / "profiles.json"
    path.write_text(json.dumps(profiles))
    return path


def write_events(tmp_path: Path, *events: tuple[int, str, str, dict[str, Any]]) -> Path:
    """(minute, type, user, props)."""
    path = tmp_path / "events.jsonl"
    lines = [
        {"id": f"e{number}", "type": kind, "user_id": user, "time": START + minute * MINUTE, "props": props}
        for number, (minute, kind, user, props) in enumerate(events)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_every_entry_with_address_headers_and_text(tmp_path: Path) -> None:
    result = run(write_rules(tmp_path), "unpaid", "--user", "u1")
    assert result.exit_code == 0
    assert (
        result.stdout
        == """unpaid  An order waits
  u1, as in the example 'waits', 2025-11-22 10:30:00 (Asia/Shanghai)
  passes every gate

sms to +1
  Ada, order 8 waits.

email to a@example.com, 5m later unless read
  Subject: Order 8

  To Ulm: https://cdn.example.com/box.png

webhook, if the one before does not get through
  {"number":8}
"""
    )


def test_a_user_of_the_profiles_takes_the_place_of_the_examples_own(tmp_path: Path) -> None:
    """Where that user lives it is still night, so the message comes in the morning."""
    folder = write_rules(tmp_path)
    profiles = write_profiles(tmp_path, bob={"phone": "+2", "timezone": "Europe/Berlin"})
    lines = run(folder, "unpaid", "--user", "bob", "--profiles", profiles).stdout.splitlines()
    assert lines[1] == "  bob, as in the example 'waits', 2025-11-22 08:00:00 (Europe/Berlin)"
    assert lines[4:6] == ["sms to +2", "  Hello, order 8 waits."]
    assert lines[7:9] == ["email, 5m later unless read", "  not sent: no email for email"]


def test_without_profiles_of_their_own_they_have_those_of_the_example(tmp_path: Path) -> None:
    lines = run(write_rules(tmp_path), "unpaid", "--user", "bob").stdout.splitlines()
    assert lines[4:6] == ["sms to +1", "  Ada, order 8 waits."]


def test_values_of_the_last_message_that_the_events_lead_to(tmp_path: Path) -> None:
    events = write_events(
        tmp_path,
        (0, "order", "u1", {"number": 1, "city": "Bonn"}),
        (60, "order", "u1", {"number": 2, "city": "Köln"}),
        (120, "order", "u1", {"number": 3}),
        (125, "paid", "u1", {}),
        (180, "order", "u2", {"number": 4}),
    )
    result = run(write_rules(tmp_path), "unpaid", "--user", "u1", "--events", events)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[1] == f"  u1, in {events}, 2025-11-22 11:30:00 (Asia/Shanghai)"
    assert lines[4:6] == ["sms to an address that no profile tells", "  Hello, order 2 waits."]
    assert "  To Köln: https://cdn.example.com/box.png" in lines


def test_the_last_that_is_sent_goes_before_a_later_one_that_is_not(tmp_path: Path) -> None:
    orders = [(minute, "order", "u1", {"number": minute, "city": "Bonn"}) for minute in (0, 60)]
    result = run(
        write_rules(tmp_path, "once: ever"), "unpaid", "--user", "u1", "--events", write_events(tmp_path, *orders)
    )
    assert result.exit_code == 0
    assert "order 0 waits" in result.stdout


def test_a_missing_value_is_named(tmp_path: Path) -> None:
    events = write_events(tmp_path, (0, "order", "u1", {"number": 1}))
    result = run(write_rules(tmp_path), "unpaid", "--user", "u1", "--events", events)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[2] == "  passes every gate"
    assert lines[5] == "  Hello, order 1 waits."
    assert lines[8] == "  not sent: templates/unpaid.email.liquid: no value for city"


def test_a_missing_value_of_the_first_entry_stops_all(tmp_path: Path) -> None:
    events = write_events(tmp_path, (0, "order", "u1", {"city": "Bonn"}))
    result = run(write_rules(tmp_path), "unpaid", "--user", "u1", "--events", events)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[2] == "  stopped by content: templates/unpaid.sms.liquid: no value for number"
    assert lines[5] == "  not sent: templates/unpaid.sms.liquid: no value for number"


@pytest.mark.parametrize(
    ("limits", "minutes", "user", "profile", "said"),
    [
        ("", (0,), "villain", {"phone": "+1"}, "stopped by black list: the user is on it"),
        ("", (0,), "u1", {"phone": "+1", "unsubscribed": ["sms", "email", "webhook"]},
         "stopped by reach: unsubscribed from sms; unsubscribed from email; unsubscribed from webhook"),
        ("quiet_hours: drop", (720,), "u1", {"phone": "+1"},
         "stopped by quiet hours: from 22:00 to 08:00, and it is 2025-11-22 22:30:00+08:00"),
        ("send_before: 3h", (720,), "u1", {"phone": "+1"},
         "stopped by quiet hours: from 22:00 to 08:00, and it is 2025-11-23 01:30:00+08:00; held -> suppress: expired"),
        ("budget: {sends: 1}", (0, 60), "u1", {"phone": "+1"}, "passes every gate"),
        ("once: ever", (-60, 0), "u1", {"phone": "+1"}, "passes every gate"),
    ],
)  # fmt: skip
def test_the_gate_that_is_in_the_way_is_named(
    tmp_path: Path, limits: str, minutes: tuple[int, ...], user: str, profile: dict[str, Any], said: str
) -> None:
    events = write_events(tmp_path, *((m, "order", user, {"number": m, "city": "Bonn"}) for m in minutes))
    profiles = write_profiles(tmp_path, **{user: profile})
    folder = write_rules(tmp_path, limits)
    result = run(folder, "unpaid", "--user", user, "--events", events, "--profiles", profiles)
    assert result.stdout.splitlines()[2] == f"  {said}"
    assert result.exit_code == (0 if said == "passes every gate" else 1)
    assert f"order {minutes[0]} waits." in result.stdout, "what it would say is shown all the same"


def test_what_was_undone_while_it_was_held(tmp_path: Path) -> None:
    events = write_events(tmp_path, (720, "order", "u1", {"number": 1, "city": "Bonn"}), (740, "paid", "u1", {}))
    result = run(write_rules(tmp_path), "unpaid", "--user", "u1", "--events", events)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[2] == (
        "  stopped by quiet hours: from 22:00 to 08:00, and it is 2025-11-22 22:30:00+08:00; held"
        " until 2025-11-23 08:00:00"
    )


def test_a_budget_that_others_have_used_up(tmp_path: Path) -> None:
    orders = [(minute, "order", user, {"number": minute, "city": "Bonn"}) for minute, user in ((0, "u2"), (60, "u1"))]
    folder = write_rules(tmp_path, "budget: {sends: 1}")
    result = run(folder, "unpaid", "--user", "u1", "--events", write_events(tmp_path, *orders))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[2] == "  passes every gate -> suppress: budget"


def test_the_control_group_gets_nothing(tmp_path: Path) -> None:
    unpaid = FILES["activities/t/unpaid.yaml"] + "audience: {control_group: 100%}\n"
    result = run(write_rules(tmp_path, unpaid=unpaid), "unpaid", "--user", "u1")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[2] == "  belongs to the control group, which gets nothing"


def test_variants_and_which_of_them_is_this_users(tmp_path: Path) -> None:
    head, _, sends = FILES["activities/t/unpaid.yaml"].partition("send:\n")
    variants = """variants:
  - {name: a, weight: 100, send: [{channel: sms, template: unpaid}]}
  - {name: b, weight: 0.000001, send: [{channel: email, template: unpaid, data: {city: order.city}}]}
"""
    assert sends
    result = run(write_rules(tmp_path, unpaid=head + variants), "unpaid", "--user", "u1")
    assert "\nsms to +1, variant a\n" in result.stdout
    assert "\nemail to a@example.com, variant b, not for this user\n" in result.stdout
    assert result.exit_code == 0


def test_a_paused_activity_shows_what_it_would_say(tmp_path: Path) -> None:
    unpaid = FILES["activities/t/unpaid.yaml"] + "state: paused\n"
    result = run(write_rules(tmp_path, unpaid=unpaid), "unpaid", "--user", "u1")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[2] == "  stopped by state and dates: the activity is paused"
    assert "Ada, order 8 waits." in result.stdout


def test_events_that_complete_no_trigger(tmp_path: Path) -> None:
    events = write_events(tmp_path, (0, "order", "u2", {"number": 1}), (1, "paid", "u\n1", {}))
    result = run(write_rules(tmp_path), "unpaid", "--user", "u\n1", "--events", events)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "unpaid  An order waits",
        rf"  nothing to say to u\n1 in {events}: the trigger is never complete",
    ]


@pytest.mark.parametrize(
    ("activity", "said"),
    [
        ("nosuch", "there is no activity nosuch in "),
        ("watch", "watch is a watch: without `send` it has nothing to say"),
        ("bare", "bare has no examples to take values from; give it one, or --events"),
    ],
)
def test_what_cannot_be_shown(tmp_path: Path, activity: str, said: str) -> None:
    result = run(write_rules(tmp_path), activity, "--user", "u1")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"kairos: {said}")


def test_a_message_that_grows_without_end_is_told(tmp_path: Path) -> None:
    loop = "{% for i in (1..1000) %}{{ profile.name }}{% endfor %}{{ number }}"
    folder = write_rules(tmp_path)
    (folder / "templates" / "unpaid.sms.liquid").write_text(loop)
    profiles = write_profiles(tmp_path, u1={"name": "x" * 2_000, "phone": "+1"})
    result = run(folder, "unpaid", "--user", "u1", "--profiles", profiles)
    assert result.exit_code == 1
    assert "  not sent: templates/unpaid.sms.liquid:1:4: output stream limit reached\n" in result.stdout


def test_values_show_no_terminal_controls(tmp_path: Path) -> None:
    profiles = write_profiles(tmp_path, u1={"name": "\x1b[2JAda", "phone": "+1\x1b[2J"})
    assert "\x1b" not in run(write_rules(tmp_path), "unpaid", "--user", "u1", "--profiles", profiles).stdout


def test_a_mistyped_user_is_nobody(tmp_path: Path) -> None:
    rules, profiles = write_rules(tmp_path), write_profiles(tmp_path, u1={"phone": "+1"})
    events = write_events(tmp_path, (0, "order", "u2", {"number": 1, "city": "Bonn"}))
    for more in (("--profiles", profiles), ("--events", events), ("--profiles", profiles, "--events", events)):
        result = run(rules, "unpaid", "--user", "u01", *more)
        assert result.exit_code == 2
        assert "nobody is known as u01: no " in result.stderr
        assert ("did you mean 'u1'?" in result.stderr) == (profiles in more)
    assert run(rules, "unpaid", "--user", "u2", "--events", events).exit_code == 0


def test_who_has_no_first_channel_waits_for_nobody(tmp_path: Path) -> None:
    """The mail goes at once where there is no phone; with one it is told when, and unless what."""
    rules = write_rules(tmp_path)
    profiles = write_profiles(tmp_path, u1={"email": "a@x.de"}, u2={"email": "b@x.de", "phone": "+2"})
    events = write_events(tmp_path, *((0, "order", user, {"number": 1, "city": "Bonn"}) for user in ("u1", "u2")))
    asked = [("--user", user, "--profiles", profiles, "--events", events) for user in ("u1", "u2")]
    told = [run(rules, "unpaid", *each).stdout for each in asked]
    assert "\nemail to a@x.de\n" in told[0]
    assert "\nemail to b@x.de, 5m later unless read\n" in told[1]
