"""How much of a person's past her page tells at first."""

from __future__ import annotations

import pytest

from kairos.apps.console import measured
from kairos.apps.console.screens import person
from tests.unit.console.conftest import Reader

DID = "<strong>cart</strong>"


@pytest.fixture(autouse=True)
def _three_days(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (measured, person):
        monkeypatch.setattr(module, "DAYS", 3)


def test_of_late_is_told_with_a_link_to_all_of_it(local: Reader) -> None:
    text = local.get("/people/u9").text  # she was there on the last day
    assert DID in text
    assert "in the last 3 days" in text
    assert 'href="/people/u9?all=yes"' in text
    whole = local.get("/people/u9?all=yes").text
    assert DID in whole
    assert "in the last 3 days" not in whole


def test_of_whom_nothing_is_known_of_late_all_is_told(local: Reader) -> None:
    text = local.get("/people/u2").text  # on the second day of ten
    assert DID in text
    assert "in the last 3 days" not in text


def test_who_is_known_by_her_profile_alone_of_late_has_a_link_to_the_rest(local: Reader) -> None:
    text = local.get("/people/u1").text
    assert DID not in text
    assert "***23" in text
    assert DID in local.get("/people/u1?all=yes").text
