"""Nothing that is put together takes a refusal back."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kairos.engine.channel import CHANNELS
from kairos.engine.profile.consent import has_opted_out, is_listed
from kairos.engine.profile.united import imported, merged

OFF, ON = {"on": False, "at": 1, "by": "ann"}, {"on": True, "at": 2, "by": "crm"}
NAMES = st.one_of(
    st.none(), st.booleans(), st.sampled_from(["sms", "all", "email, sms", "nonsense", "yes", ""]),
    st.lists(st.sampled_from([*CHANNELS, "all", "unreadable"]), max_size=3), st.just({"sms": 1}),
)  # fmt: skip
LISTS = st.one_of(st.none(), st.just("blakc"), st.lists(st.sampled_from(["black", "white", "unreadable"]), max_size=3))
TOPICS = st.one_of(
    st.dictionaries(st.sampled_from(["news", "sale"]), st.sampled_from([OFF, ON, "odd"]), max_size=2),
    st.just("garbage"),
)
PROFILE = st.fixed_dictionaries(
    {}, optional={"unsubscribed": NAMES, "lists": LISTS, "dead_addresses": st.lists(st.sampled_from("ab"), max_size=2),
                  "consents": TOPICS, "level": st.integers(0, 3), "crowds": st.lists(st.sampled_from(["vip", "x"]))}
)  # fmt: skip


def stays_refused(before: dict[str, Any], after: dict[str, Any]) -> None:
    for channel in CHANNELS:
        assert has_opted_out(after, channel) or not has_opted_out(before, channel)
    assert is_listed(after, "black") or not is_listed(before, "black")
    assert set(before.get("dead_addresses") or ()) <= set(after.get("dead_addresses") or ())
    if before.get("consents") == "garbage":
        assert after["consents"] == "garbage", "nobody can read it, so it is no to all"
    for topic, consent in (before.get("consents") or {}).items() if isinstance(before.get("consents"), dict) else ():
        assert after["consents"] == "garbage" or (after["consents"][topic] == ON) <= (consent == ON)


@given(PROFILE, PROFILE)
def test_an_import_never_takes_a_refusal_back(known: dict[str, Any], given_: dict[str, Any]) -> None:
    after = {**known, **imported(known, given_)}
    stays_refused(known, after)
    assert is_listed(after, "white") <= is_listed(known, "white")


@given(PROFILE, PROFILE)
def test_a_refusal_that_an_import_brings_counts(known: dict[str, Any], given_: dict[str, Any]) -> None:
    stays_refused(given_, {**known, **imported(known, given_)})


@given(PROFILE, PROFILE)
def test_of_two_who_are_one_the_stricter_counts(one: dict[str, Any], other: dict[str, Any]) -> None:
    both = merged(one, other)
    stays_refused(one, both)
    stays_refused(other, both)
    assert is_listed(both, "white") <= (is_listed(one, "white") and is_listed(other, "white"))


@given(PROFILE, PROFILE)
def test_an_import_that_is_made_again_changes_nothing(known: dict[str, Any], given_: dict[str, Any]) -> None:
    after = {**known, **imported(known, given_)}
    again = imported(after, given_)
    assert {name: value for name, value in again.items() if after.get(name) != value} == {}


def test_fields_of_the_first_stand_and_gaps_are_filled() -> None:
    both = merged({"level": 3, "crowds": ["vip"]}, {"level": 1, "email": "b@example.com", "crowds": ["x", "vip"]})
    assert both == {"level": 3, "email": "b@example.com", "crowds": ["vip", "x"]}


def test_a_consent_that_was_never_given_may_come_by_an_import() -> None:
    assert imported({"consents": {"news": OFF}}, {"consents": {"news": ON, "sale": ON}}) == {
        "consents": {"news": OFF, "sale": ON}
    }
