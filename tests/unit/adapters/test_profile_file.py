"""Reading profiles: what is refused, what is reported and left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from kairos.adapters.profiles.file import ProfileFileError, Profiles, read_profiles

ZONE = "a time zone such as Asia/Shanghai is expected"


def read(tmp_path: Path, text: str) -> tuple[Profiles, list[str]]:
    path = tmp_path / "profiles.json"
    path.write_text(text)
    reports: list[str] = []
    return read_profiles(path, reports.append), reports


def test_good_profiles_come_as_they_are(tmp_path: Path) -> None:
    profiles, reports = read(
        tmp_path,
        '\ufeff{"u1": {"level": 3, "timezone": "Asia/Shanghai", "crowds": ["staff"], "email": null}, "u2": {}}',
    )
    assert profiles == {
        "u1": {"level": 3, "timezone": "Asia/Shanghai", "crowds": ["staff"], "email": None},
        "u2": {},
    }
    assert reports == []


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("timezone", '"Mars/Olympus"', f"{ZONE}; the policy's stands in, and sends are marked as degraded"),
        ("timezone", '"../../etc/passwd"', f"{ZONE}; the policy's stands in, and sends are marked as degraded"),
        ("timezone", "8", f"{ZONE}; the policy's stands in, and sends are marked as degraded"),
        ("crowds", '"staff"', "a list of names is expected; left out"),
        ("lists", "[1]", "a list of names is expected, of black, white; it counts as the black list"),
        ("lists", '"black"', "a list of names is expected; read as black"),
        ("unsubscribed", "true", "a list of names is expected; read as all"),
        ("unsubscribed", '"SMS, push"', "a list of names is expected; read as sms, push"),
        ("unsubscribed", "3", "a list of names is expected; it stands for no: no channel may be used"),
        ("phone", "8613900000000", "text is expected; left out"),
    ],
)
def test_an_odd_field_is_reported_and_left_out_or_to_the_engine(
    tmp_path: Path, field: str, value: str, said: str
) -> None:
    """Consent and zone stay: what a simulation makes of them is what the job does."""
    profiles, reports = read(tmp_path, f'{{"u1": {{"level": 3, "{field}": {value}}}}}')
    kept = {} if said.endswith("left out") else {field: msgspec.json.decode(value)}
    assert profiles == {"u1": {"level": 3, **kept}}
    assert reports == [f"u1.{field}: {said}"]


def test_a_user_without_an_object_counts_as_unknown(tmp_path: Path) -> None:
    profiles, reports = read(tmp_path, '{"u1": [], "u2": {"level": 1}}')
    assert profiles == {"u2": {"level": 1}}
    assert reports == ["u1: an object is expected; the user counts as unknown"]


@pytest.mark.parametrize(
    ("fields", "allows"),
    [
        ('"Unsubscribed": ["sms"]', {"unsubscribed": ["sms"]}),
        ('" UNSUBSCRIBED ": true', {"unsubscribed": True}),
        ('"Lists": ["black"]', {"lists": ["black"]}),
        ('"unsubscribed": [], "Unsubscribed": ["sms"]', {"unsubscribed": {"unsubscribed": "twice"}}),
    ],
)
def test_a_field_about_consent_is_known_in_capitals_too(tmp_path: Path, fields: str, allows: dict[str, Any]) -> None:
    profiles, reports = read(tmp_path, f'{{"u1": {{{fields}}}}}')
    assert profiles == {"u1": allows}
    assert "which is its name" in reports[0]


def test_a_name_that_nearly_is_one_about_consent_is_told(tmp_path: Path) -> None:
    _, reports = read(tmp_path, '{"u1": {"unsubscribe": ["sms"], "level": 3, "city": "x"}}')
    assert reports == ["u1.unsubscribe: nobody reads it; did you mean 'unsubscribed'?"]


@pytest.mark.parametrize(
    "text",
    [
        '{"u1": {}, "u1": {}}',
        '{"u1": {"unsubscribed": ["sms"], "unsubscribed": []}}',
        "",
        "[]",
        "3",
        '{"u1": NaN}',
        '{"u1": {}',
        "[" * 100_000,
    ],
)
def test_what_is_no_table_of_profiles_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProfileFileError):
        read(tmp_path, text)


def test_what_profile_yaml_does_not_declare_is_named_once(tmp_path: Path) -> None:
    path, reports = tmp_path / "profiles.json", list[str]()
    path.write_text('{"u1": {"emial": "a", "phone": "1", "level": "3"}, "u2": {"emial": "b", "born": 1636000000}}')
    read_profiles(path, reports.append, {"level": "integer", "born": "time"})
    assert reports == [
        "u1.emial: not declared in profile.yaml, nobody reads it; did you mean 'email'?",
        "u1.level: an integer is expected; left out",
        "u2.born: epoch milliseconds or ISO 8601 with an offset is expected; this looks like seconds taken for"
        " milliseconds; left out",
    ]
