"""`kairos explain`, and what every command says of crowds that a file of events does not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.cli_kit import MINUTE, order, run, write_events


def test_explain_tells_the_story_of_one_user(rules: Path, tmp_path: Path) -> None:
    events = write_events(tmp_path, order(1, 0), order(2, 0, user="u2"), order(1, MINUTE, kind="order_paid"))
    result = run("explain", rules, events, "--user", "u1")
    assert result.exit_code == 0
    assert result.stdout == (
        "u1: 2 events, 2025-11-22 02:20:00 to 2025-11-22 02:21:00 (UTC)\n"
        "\n"
        "order_unpaid\n"
        "  2025-11-22 02:20:00  order_created order_created1 is taken as `order` (of o1)\n"
        "  2025-11-22 02:20:00  waits that no order_paid comes until 2025-11-22 02:30:00\n"
        "  2025-11-22 02:21:00  order_paid order_paid1 ends the match of `order` (order_created1) (of o1)\n"
    )


def test_explain_speaks_in_the_users_time_zone_and_of_one_activity(rules: Path, tmp_path: Path) -> None:
    (rules / "activities/orders/other.yaml").write_text("activity: other\ntrigger: {event: order_paid}\n")
    profiles = tmp_path / "profiles.json"
    profiles.write_text('{"u1": {"timezone": "Asia/Shanghai", "phone": "1"}}')
    events = write_events(tmp_path, order(1, 500))
    whole = run("explain", rules, events, "--user", "u1", "--profiles", profiles).stdout
    assert "\nother\n  nothing began: no order_paid came\n" in whole
    short = whole.split("In short")[1].split("\n\n")[0].splitlines()[1:]
    assert short == ["  order_unpaid  send by sms; 2025-11-22 10:30:00.500", "  other         nothing began"]
    one = run("explain", rules, events, "--user", "u1", "--profiles", profiles, "--activity", "order_unpaid").stdout
    assert "other" not in one
    assert "  2025-11-22 10:20:00.500  order_created" in one
    assert one.endswith("  2025-11-22 10:30:00.500  -> send by sms\n")


def test_explain_in_short_counts_what_is_the_same(rules: Path, tmp_path: Path) -> None:
    """An activity that began and came to nothing has neither a decision nor `nothing began`."""
    (rules / "activities/orders/other.yaml").write_text(
        "activity: other\ntrigger: {pattern: [{event: order_created}, {event: order_paid}], within: 1d}\n"
    )
    events = write_events(tmp_path, order(1, 0), order(2, 20 * MINUTE))
    told = run("explain", rules, events, "--user", "u1").stdout.split("In short")[1].split("\n\n")[0]
    assert "order_unpaid  send by sms (2 times); the last 2025-11-22 02:50:00\n" in told
    assert "other         nothing was decided: no match was completed" in told


def test_explain_of_a_user_without_events(rules: Path, tmp_path: Path) -> None:
    result = run("explain", rules, write_events(tmp_path, order(1, 0)), "--user", "u\n9")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == r"u\n9 has no events in this file"
    assert result.stdout.endswith("  nothing began: no order_created came\n")


def test_explain_says_which_crowds_nobody_is_known_to_be_in(rules: Path, tmp_path: Path) -> None:
    """ "Not in the crowd" would be told of everybody."""
    (rules / "crowds.yaml").write_text("vip: {members: kept}\nteam: {members: kept}\n")
    path = rules / "activities/orders/order_unpaid.yaml"
    path.write_text(path.read_text() + "audience: {in: [vip], not_in: [team]}\n")
    profiles = tmp_path / "profiles.json"
    profiles.write_text('{"u2": {"phone": "1"}}')
    events = write_events(tmp_path, order(1, 0))
    commands = [
        ("explain", rules, events, "--user", "u1", "--profiles", profiles),
        ("simulate", rules, events, "--profiles", profiles),
        ("preview", "order_unpaid", "--user", "u2", "--rules", rules, "--events", events, "--profiles", profiles),
        ("tune", rules, events, "--set", "activities.order_unpaid.within=1h", "--profiles", profiles),
    ]
    for command in commands:
        told = " ".join(run(*command).stderr.split())
        assert "nobody is known to be in vip: a file of events has no snapshots" in told, command
        assert '("crowds": ["vip"])' in told
    compared = " ".join(run("compare", rules, rules, events, "--profiles", profiles).stdout.split())
    assert "Nobody is known to be in vip: a file of events has no snapshots" in compared
    path.write_text(path.read_text().replace("in: [vip], ", ""))
    for command in commands:
        assert "nobody is known" not in run(*command).stderr, command
    assert "obody is known" not in run("compare", rules, rules, events, "--profiles", profiles).stdout


@pytest.mark.parametrize(
    ("good", "asks"),
    [
        ("{union: [vip, {where: profile.level > 3}]}", "{in: [good]}"),
        ("{union: [vip, {where: profile.level > 3}]}", "{any_of: [good]}"),
        ("{sample: 50%, of: vip}", "{control_group: good}"),
        ("{where: 'in_crowd(\"vip\") and profile.level > 3'}", "{in: [good]}"),
    ],
)
def test_a_crowd_that_a_crowd_is_made_of_is_asked_with_it(rules: Path, tmp_path: Path, good: str, asks: str) -> None:
    (rules / "crowds.yaml").write_text(f"vip: {{members: kept}}\ngood: {good}\n")
    path = rules / "activities/orders/order_unpaid.yaml"
    path.write_text(f"{path.read_text()}audience: {asks}\n")
    told = run("simulate", rules, write_events(tmp_path, order(1, 0)))
    assert told.exit_code == 0, told.stderr
    assert "nobody is known to be in vip:" in told.stderr


def test_explain_of_an_unknown_activity(rules: Path, tmp_path: Path) -> None:
    result = run("explain", rules, write_events(tmp_path, order(1, 0)), "--user", "u1", "--activity", "nosuch")
    assert (result.exit_code, result.stderr) == (2, f"kairos: there is no activity nosuch in {rules}\n")
