"""Snapshots in a file of SQLite, and what a job without Redis sees of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.adapters.crowds.port import CrowdStoreError, Live, Span
from kairos.adapters.crowds.sqlite import SqliteCrowds
from kairos.adapters.crowds.text import live_of, live_text, span_of, span_text
from kairos.adapters.profiles.opening import FileProfiles
from kairos.engine.crowd.membership import SNAPSHOTS


@pytest.mark.parametrize("span", [Span("u", 41), Span("u", 5, 42)])
def test_intervals_as_texts(span: Span) -> None:
    assert span_of("u", span_text(span)) == span
    assert [span.holds(n) for n in (4, 41, 42)] == ([False, True, True] if span.to_n is None else [False, True, False])
    assert live_of(live_text(Live(3, 20, 10))) == Live(3, 20, 10)


def test_nothing_is_seen_before_the_flip(tmp_path: Path) -> None:
    store = SqliteCrowds(tmp_path / "live.db")
    store.stage("vip", [Span("a", 1), Span("b", 1)])
    assert store.memberships("a") == ({}, [])
    store.flip("vip", Live(1, 20, 10))
    store.stage("vip", [Span("a", 1, 2), Span("c", 2)])
    assert [store.memberships(user)[1] for user in "abc"] == [["vip"], ["vip"], []]
    other = SqliteCrowds(tmp_path / "live.db")
    other.flip("vip", Live(2, 40, 30))
    assert [store.memberships(user) for user in "ac"] == [({"vip": 2}, []), ({"vip": 2}, ["vip"])]
    assert store.live() == {"vip": Live(2, 40, 30)}


def test_what_was_begun_is_taken_back(tmp_path: Path) -> None:
    store = SqliteCrowds(tmp_path / "live.db")
    store.stage("vip", [Span("a", 1), Span("b", 1, 2)])
    store.stage("vip", [Span("a", 1, 3), Span("b", 3), Span("c", 3)])
    store.unstage("vip", 3, "abcd")
    assert list(store.spans("vip")) == [Span("a", 1)]


def test_a_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "live.db").write_text("something else, and long enough to be no empty file of SQLite")
    with pytest.raises(CrowdStoreError):
        SqliteCrowds(tmp_path / "live.db")


def test_a_job_without_redis(tmp_path: Path) -> None:
    (tmp_path / "profiles.json").write_text('{"a": {"level": 3, "crowds": ["staff"]}}')
    store = SqliteCrowds(tmp_path / "live.db")
    store.stage("vip", [Span("a", 1), Span("b", 1)])
    store.flip("vip", Live(1, 20, 10))
    profiles = FileProfiles(tmp_path / "profiles.json", tmp_path / "live.db")
    assert profiles.get("a") == {"level": 3, "crowds": ["staff", "vip"], SNAPSHOTS: {"vip": 1}}
    assert profiles.get("b") == {"crowds": ["vip"], SNAPSHOTS: {"vip": 1}}
    assert profiles.get("c") == {"crowds": [], SNAPSHOTS: {"vip": 1}}
    assert FileProfiles(tmp_path / "profiles.json", tmp_path / "nothing.db").get("c") is None
    profiles.close()
