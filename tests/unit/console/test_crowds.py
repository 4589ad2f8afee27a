"""Crowds: how large they are and what they share, put together, built in the background, filled by hand."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
import yaml

from harness.job import eventually
from kairos.errors import KairosError
from kairos.usecases.crowds.compose import Condition, Wanted, definition
from tests.unit.console.conftest import Reader
from tests.unit.control.desk import Desk

AS_OF = "2026-11-11T00:00"


def built(reader: Reader, name: str, path: str = "build", **form: str) -> str:
    """Its page, once it has ended."""
    said = reader.press(f"/crowds/{name}/{path}", **form)
    assert said.headers["Location"] == f"/crowds/{name}"
    return eventually(lambda: reader.get(f"/crowds/{name}").text, lambda told: "aria-busy" not in told)


def test_what_was_built_is_told_with_its_size_its_overlap_and_its_members(local: Reader) -> None:
    assert "never built" in local.get("/crowds").text
    assert "Done." in built(local, "buyers", as_of=AS_OF)
    built(local, "quiet", as_of=AS_OF)
    told = local.get("/crowds").text
    assert '<a href="/crowds/buyers#members">20</a>' in told
    assert 'title="0 of 20"' in told  # buyers and quiet share nobody
    assert "kairos crowds overlap buyers quiet" in told
    assert '<a href="/people/u1">u1</a>' in local.get("/crowds/buyers").text


def test_what_is_more_likely_a_mistake_is_refused_and_says_why(local: Reader) -> None:
    told = built(local, "buyers", as_of="2027-01-01")
    assert "the warehouse&#39;s newest event is too old. Load what has come since, or build it as of an earlier" in told
    assert local.press("/crowds/buyers/build", as_of="soon").status_code == 422
    assert local.press("/crowds/nothing/build").status_code == 404


def test_a_crowd_by_hand_is_filled_with_a_list(local: Reader) -> None:
    assert "Done." in built(local, "vip", "import", users="u1\nu2\nu1")
    told = local.get("/crowds/vip").text
    assert '<a href="/people/u2">u2</a>' in told
    assert "is kept by hand" in html.unescape(built(local, "vip", "build"))
    assert local.press("/crowds/buyers/import", users="u1").status_code == 422


def test_a_new_crowd_is_counted_and_put_into_its_file(local: Reader, tmp_path: Path) -> None:
    query = {"name": "fans", "of0": "purchase", "counted": "yes"}
    told = local.get("/new-crowd", params=query).text
    assert "People in it: 20" in told
    assert "hx-get" not in told
    line, digest = (re.search(f'name="{name}" value="([^"]+)"', told) for name in ("line", "digest"))
    assert line is not None
    assert digest is not None
    form = {"line": html.unescape(line[1]), "digest": digest[1]}
    assert local.press("/new-crowd", **form).headers["Location"] == "/write?file=crowds.yaml"
    kept = yaml.safe_load((tmp_path / "rules" / "crowds.yaml").read_text())
    assert kept["fans"] == {"where": "count(purchase) >= 1", "refresh": "1d"}
    assert local.press("/new-crowd", **form).status_code == 409  # somebody has saved it since: it was this very press


def test_what_lint_finds_in_a_new_crowd_stands_beside_it(local: Reader) -> None:
    told = html.unescape(local.get("/new-crowd", params={"name": "fans", "where": "cuont(purchase) > 1"}).text)
    assert "cuont" in told.split('class="problem"')[1]
    assert "0-9 and _" in local.get("/new-crowd", params={"name": "Fans", "of0": "cart"}).text
    assert "choose a condition" in local.get("/new-crowd", params={"name": "fans"}).text
    assert "duplicate" in local.get("/new-crowd", params={"name": "vip", "of0": "cart"}).text


def test_without_redis_a_list_says_what_is_missing(local: Reader) -> None:
    assert "profiles.redis is missing" in local.get("/lists/black").text
    assert local.get("/lists/green").status_code == 422


def test_who_may_not_write_builds_nothing_and_fills_no_list(desk: Desk, signed_in: object) -> None:
    vic = signed_in("vic")  # type: ignore[operator]
    for path in ("/crowds/vip/build", "/crowds/vip/import", "/new-crowd", "/lists/black"):
        assert vic.press(path, csrf=vic.csrf("/"), users="u1").status_code == 403


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (Wanted("a", conditions=[Condition("total", "purchase", "amount", "90d", ">=", "500")]),
         {"where": "total(purchase.amount, 90d) >= 500"}),
        (Wanted("a", joined="or", conditions=[Condition("last", "purchase", operator="<", value="30d"),
                                              Condition("profile", "city", operator="==", value='Köln "am Rhein"')]),
         {"where": 'last(purchase) < 30d or profile.city == "Köln \\"am Rhein\\""'}),
        (Wanted("a", joined="difference", sets=["b", "c"]), {"difference": ["b", "c"]}),
        (Wanted("a", joined="union", sets=["b", "c"], count=10), {"limit": 10, "of": {"union": ["b", "c"]}}),
    ],
)  # fmt: skip
def test_what_was_chosen_is_one_line_of_yaml(wanted: Wanted, line: dict[str, object]) -> None:
    text = definition(wanted)
    assert text.count("\n") == 1
    assert yaml.safe_load(text) == {"a": {**line, "refresh": "1d"}}


@pytest.mark.parametrize(
    "wanted",
    [
        Wanted("a b: {", conditions=[Condition("count", "x")]),
        Wanted("a" * 101, conditions=[Condition("count", "x")]),
        Wanted("a", joined="union", sets=["b"]),
    ],
)
def test_half_a_choice_is_none(wanted: Wanted) -> None:
    with pytest.raises(KairosError):
        definition(wanted)
