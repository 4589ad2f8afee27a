"""What is measured: one measure at a time, with its interval, its rows, its SQL, and what its numbers mean."""

from __future__ import annotations

import re

import pytest

from tests.unit.console.conftest import Reader


def test_the_first_measure_is_asked_once_and_its_shares_have_intervals(local: Reader) -> None:
    assert 'hx-get="/measure?asked=yes"' in local.get("/measure").text
    told = local.get("/measure?asked=yes").text
    assert ">44.4%<small>29.5% … 60.4%</small>" in told  # 16 of 36; for the other four the day is not over
    assert "kairos measure again" in told
    assert "<pre" in told
    assert "aria-busy" not in local.get("/measure").text  # it is known now


@pytest.mark.parametrize("name", ["again", "credit", "reach/cart_left", "lift/cart_left", "money/cart_left"])
def test_every_head_leads_to_what_it_means_and_every_number_to_its_rows(name: str, local: Reader) -> None:
    told = local.get("/measure", params={"asked": "yes", "name": name}).text
    heads = set(re.findall(r'href="#is-(\w+)"', told))
    assert heads <= set(re.findall(r'id="is-(\w+)"', told))
    assert "Rows: " in told
    assert f"kairos measure {name}" in told


def test_a_measure_is_told_by_what_its_kind_takes(local: Reader) -> None:
    asked = {"asked": "yes", "name": "again"}
    told = local.get("/measure", params={**asked, "by": "week"}).text
    assert '<option value="week" selected>week</option>' in told
    assert "2026-10-26" in told  # the Monday of the first cohort
    assert "retention is not told by theme" in local.get("/measure", params={**asked, "by": "theme"}).text
    assert "profiles have no field" in local.get("/measure", params={**asked, "by": "profile.<i>"}).text


def test_what_was_known_then_is_what_is_told(local: Reader) -> None:
    told = local.get("/measure?asked=yes&name=again&as_of=2026-11-02T00:00").text
    assert "--as-of 2026-11-02T00:00" in told
    assert "2026-11-02 00:00:00 UTC" in told
    assert "expected a time" in local.get("/measure?asked=yes&as_of=soon").text


def test_what_is_no_measure_says_what_there_is(local: Reader) -> None:
    told = local.get("/measure", params={"name": "<script>agin", "asked": "yes"}).text
    assert "there is no measure" in told
    assert "<script>agin" not in told
