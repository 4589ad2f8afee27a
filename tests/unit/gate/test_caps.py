"""Frequency caps: when a slot is taken, by what, and when it is free again."""

from __future__ import annotations

import pytest

from tests.engine_kit import decisions, events, rules


def sms(name: str = "a", extra: str = "", trigger: str = "order", channel: str = "sms") -> str:
    return f"activity: {name}\ntrigger: {{event: {trigger}}}\nsend: [{{channel: {channel}, template: t}}]\n{extra}"


def caps(*named: str, default: str = "") -> str:
    """`name: rules; retry_for`, e.g. `m: {max: 1, per: 1h}; 2h`."""
    text = f"default_caps: [{default}]\ncaps:\n"
    for line in named:
        cap, _, patience = line.partition(";")
        name, _, cap_rules = cap.partition(":")
        text += f"  {name}:\n    rules: [{cap_rules}]\n"
        if patience:
            text += f"    on_exceed: {{retry_for: {patience.strip()}}}\n"
    return text


def test_rolling_is_free_again_at_exactly_its_length() -> None:
    rule_set = rules(sms(), policy=caps("m: {max: 2, per: 1h}", default="m"))
    told = decisions(rule_set, events("0s order", "1m order", "59m59s order", "1h order", "1h1s order", "1h1m order"))
    assert told == [
        "0s a send sms", "1m a send sms", "59m59s a suppress cap:m", "1h a send sms", "1h1s a suppress cap:m",
        "1h1m a send sms",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "sent"),
    [
        # noon UTC is 20:00 in Shanghai: its day ends 4 h later
        ("Asia/Shanghai", ["0s", "4h"]),
        ("UTC", ["0s", "12h"]),
        ("America/New_York", ["0s", "17h"]),
    ],
)
def test_calendar_day_is_the_user_s_own(zone: str, sent: list[str]) -> None:
    rule_set = rules(
        sms(), policy=caps("m: {max: 1, per: 1d, window: calendar}", default="m") + "timezone: Asia/Tokyo\n"
    )
    given = events(
        *(f"{text} order" for text in ("0s", "1h", "3h59m59s", "4h", "11h59m59s", "12h", "16h59m59s", "17h"))
    )
    told = decisions(rule_set, given, {"u1": {"phone": "1", "timezone": zone}})
    assert [line.split()[0] for line in told if "send" in line][:2] == sent


def test_calendar_week_starts_on_monday() -> None:
    rule_set = rules(sms(), policy=caps("m: {max: 1, per: 7d, window: calendar}", default="m"))
    told = decisions(rule_set, events("-13h order", "-12h order", "6d11h59m order", "6d12h order"))  # BASE: Monday noon
    assert told == ["-13h a send sms", "-12h a send sms", "6d11h59m a suppress cap:m", "6d12h a send sms"]


def test_calendar_day_over_the_change_of_summer_time() -> None:
    """Sunday 2026-03-29 has 23 hours in Berlin; BASE is 217 days 13 hours after its start at 23:00Z the day before."""
    rule_set = rules(
        sms(), policy=caps("m: {max: 1, per: 1d, window: calendar}", default="m") + "timezone: Europe/Berlin\n"
    )
    told = decisions(rule_set, events("-217d13h order", "-216d14h1ms order", "-216d14h order"))
    assert told == ["-217d13h a send sms", "-216d14h1ms a suppress cap:m", "-216d14h a send sms"]


def test_all_rules_of_a_cap_apply_and_all_caps() -> None:
    policy = caps("m: {max: 1, per: 1h}, {max: 2, per: 1d}", "n: {max: 1, per: 10h}")
    rule_set = rules(sms(extra="limits: {caps: [m, n]}\n"), policy=policy)
    told = decisions(rule_set, events("0s order", "30m order", "2h order", "10h order", "21h order", "1d order"))
    assert told == [
        "0s a send sms", "30m a suppress cap:m", "2h a suppress cap:n", "10h a send sms", "21h a suppress cap:m",
        "1d a send sms",
    ]  # fmt: skip


def test_a_full_channel_drops_out_and_the_next_entry_goes() -> None:
    text = sms().replace("}]", "}, {channel: email, template: t}]")
    rule_set = rules(text, policy=caps("m: {max: 1, per: 1h, channel: sms}, {max: 3, per: 1d}", default="m"))
    told = decisions(rule_set, events("0s order", "1m order", "2m order", "3m order"))
    assert told == ["0s a send sms", "1m a send email", "2m a send email", "3m a suppress cap:m"]


def test_an_empty_list_opts_out_and_takes_no_slot() -> None:
    rule_set = rules(sms(extra="limits: {caps: []}\n"), sms("b"), policy=caps("m: {max: 1, per: 1h}", default="m"))
    assert decisions(rule_set, events("0s order", "1s order")) == [
        "0s a send sms", "0s b send sms", "1s a send sms", "1s b suppress cap:m",
    ]  # fmt: skip


def test_counts_toward_says_what_is_used_up() -> None:
    policy = caps("m: {max: 1, per: 1h}", default="m")
    free = rules(sms(extra="limits: {counts_toward: []}\n"), policy=policy)
    assert decisions(free, events("0s order", "1s order")) == ["0s a send sms", "1s a send sms"]
    only_counts = rules(sms(extra="limits: {caps: [], counts_toward: [m]}\n", trigger="pay"), sms("b"), policy=policy)
    told = decisions(only_counts, events("0s pay", "1s pay", "2s order"))
    assert told == ["0s a send sms", "1s a send sms", "2s b suppress cap:m"]


def test_white_bypasses_caps_but_uses_them_up() -> None:
    policy = caps("m: {max: 1, per: 1h}", default="m") + "lists: {white: [u1]}\n"
    assert decisions(rules(sms(), policy=policy), events("0s order", "1s order")) == ["0s a send sms", "1s a send sms"]


def test_who_competes_for_one_slot_goes_by_priority_then_name_then_match_time() -> None:
    policy = caps("m: {max: 1, per: 1h}", default="m")
    rule_set = rules(sms("c", "priority: 9\n"), sms("b", "priority: 60\n"), sms("a", "priority: 9\n"), policy=policy)
    assert decisions(rule_set, events("0s order")) == ["0s b send sms", "0s a suppress cap:m", "0s c suppress cap:m"]
    rule_set = rules(sms("c"), sms("a"), policy=policy)
    assert decisions(rule_set, events("0s order")) == ["0s a send sms", "0s c suppress cap:m"]


def test_retry_holds_until_a_slot_is_free() -> None:
    rule_set = rules(sms(), policy=caps("m: {max: 1, per: 1h}; 2h", default="m"))
    assert decisions(rule_set, events("0s order", "10m order")) == [
        "0s a send sms", "10m a hold cap:m", "1h a send sms",
    ]  # fmt: skip


def test_retry_gives_up_when_its_time_is_over() -> None:
    rule_set = rules(sms(), policy=caps("m: {max: 1, per: 1h}; 90m", default="m"))
    given = events("0s order", "10m order", "20m order", "30m order")
    assert decisions(rule_set, given) == [
        "0s a send sms", "10m a hold cap:m", "20m a hold cap:m", "30m a hold cap:m", "1h a send sms",
        "1h50m a suppress cap:m", "2h a send sms",
    ]  # fmt: skip


def test_a_slot_that_frees_at_the_very_end_of_the_patience_is_taken() -> None:
    rule_set = rules(sms(), policy=caps("m: {max: 1, per: 1h}; 50m", default="m"))
    assert decisions(rule_set, events("0s order", "10m order"))[-1] == "1h a send sms"
    assert decisions(rule_set, events("0s order", "9m59s order"))[-1] == "59m59s a suppress cap:m"


def test_held_candidates_compete_for_the_slot_by_priority_with_new_ones_too() -> None:
    policy = caps("m: {max: 1, per: 1h}; 70m", default="m")
    rule_set = rules(
        sms("low", "priority: 1\n", "x"),
        sms("mid", "priority: 5\n", "y"),
        sms("high", "priority: 9\n", "z"),
        policy=policy,
    )
    told = decisions(rule_set, events("0s x", "5m x", "10m y", "1h z"))
    assert told == [
        "0s low send sms", "5m low hold cap:m", "10m mid hold cap:m", "1h high send sms", "1h15m low suppress cap:m",
        "1h20m mid suppress cap:m",
    ]  # fmt: skip
    told = decisions(rule_set, events("0s x", "5m x", "10m y"))
    assert told[3:] == ["1h mid send sms", "1h15m low suppress cap:m"]


def test_what_is_held_reserves_nothing() -> None:
    policy = caps("m: {max: 1, per: 1h}", default="m") + "quiet_hours: {from: '12:00', to: '12:30'}\n"
    rule_set = rules(sms(), sms("b", "limits: {quiet_hours: ignore}\n", "pay"), policy=policy)
    assert decisions(rule_set, events("0s order", "10m pay")) == [
        "0s a hold quiet_hours", "10m b send sms", "30m a suppress cap:m",
    ]  # fmt: skip


def test_a_drop_cap_beats_a_patient_one() -> None:
    policy = caps("m: {max: 1, per: 1h}; 2h", "n: {max: 1, per: 1h}")
    rule_set = rules(sms(extra="limits: {caps: [m, n]}\n"), policy=policy)
    assert decisions(rule_set, events("0s order", "10m order")) == ["0s a send sms", "10m a suppress cap:n"]
