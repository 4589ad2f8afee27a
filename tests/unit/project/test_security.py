"""Nothing secret is shown, and docs/security.md names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kairos.adapters.database.roles import ROLES
from kairos.adapters.profiles.opening import check_profiles
from kairos.adapters.profiles.redis import ProfilesUnreachableError
from tests.engine_kit import decisions, events, rules

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "address",
    [
        "redis://:s3cret@127.0.0.1:1/0",
        "rediss://user:s3cret@127.0.0.1:1/0",
        "redis://user:s3c%2Fret@127.0.0.1:1/0",
        "redis://127.0.0.1:1/0?password=s3cret&db=1",
        "redis://user:s3cret@nowhere:port/0",
        "s3cret",
    ],
)
def test_redis_that_does_not_answer_is_named_without_its_password(address: str) -> None:
    with pytest.raises(ProfilesUnreachableError) as raised:
        check_profiles(address, None)
    assert "s3cret" not in str(raised.value).replace("at s3cret:", "")
    assert "s3c%2Fret" not in str(raised.value)


def test_every_threat_names_its_tests() -> None:
    rows = [line for line in PAGE.partition("| threat |")[2].partition("\n\n")[0].splitlines()[2:] if line]
    assert len(rows) > 15
    for row in rows:
        assert re.search(r"`tests/[a-z_/]+\.py`", row.split("|")[-2]), row


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(tests/[a-z_/]+\.py)`", PAGE))))
def test_the_tests_that_it_names_are_there(path: str) -> None:
    assert (ROOT / path).is_file()


def test_the_rights_in_the_table_are_those_that_are_given() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", PAGE.partition("| role |")[2], re.MULTILINE)
    told = {role: dict(re.findall(r"`(\w+)`: ([A-Z, ]+?)(?:;|$)", rights)) for role, rights in rows}
    assert told == {role: dict(tables) for role, tables in ROLES.items()}


def test_a_regular_expression_takes_no_longer_than_its_text() -> None:
    """One that tries all ways would not come to an end."""
    rule_set = rules("activity: a\ntrigger: {event: order, where: \"matches(text, '^(a+)+$')\"}\n")
    long = "a" * 50_000
    assert decisions(rule_set, events(f"0s order text={long}b", f"1s order text={long}")) == ["1s a match"]
