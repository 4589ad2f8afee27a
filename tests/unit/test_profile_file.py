"""Reading profiles: what is refused, what is reported and left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.adapters.profile_file import ProfileFileError, Profiles, read_profiles


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
        ("timezone", '"Mars/Olympus"', "a time zone such as Asia/Shanghai is expected"),
        ("timezone", '"../../etc/passwd"', "a time zone such as Asia/Shanghai is expected"),
        ("timezone", "8", "a time zone such as Asia/Shanghai is expected"),
        ("crowds", '"staff"', "a list of names is expected"),
        ("lists", "[1]", "a list of names is expected"),
        ("unsubscribed", "true", "a list of names is expected"),
        ("phone", "8613900000000", "text is expected"),
    ],
)
def test_a_field_that_cannot_be_used_is_reported_and_left_out(
    tmp_path: Path, field: str, value: str, said: str
) -> None:
    profiles, reports = read(tmp_path, f'{{"u1": {{"level": 3, "{field}": {value}}}}}')
    assert profiles == {"u1": {"level": 3}}
    assert reports == [f"u1.{field}: {said}; left out"]


def test_a_user_without_an_object_counts_as_unknown(tmp_path: Path) -> None:
    profiles, reports = read(tmp_path, '{"u1": [], "u2": {"level": 1}}')
    assert profiles == {"u2": {"level": 1}}
    assert reports == ["u1: an object is expected; the user counts as unknown"]


@pytest.mark.parametrize("text", ["", "[]", "3", '{"u1": NaN}', '{"u1": {}', "[" * 100_000])
def test_what_is_no_table_of_profiles_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ProfileFileError):
        read(tmp_path, text)
