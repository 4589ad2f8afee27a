"""No hole leaves: whatever a template prints has a value, or something that stands in for it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kairos.engine.rule.content.rendering import ContentError, Renderer

THERE: dict[str, Any] = {
    "n": "Ada", "count": 2, "nothing": None, "order": {"id": 7, "city": None}, "bare": "",
    "items": [{"title": "A", "price": 3}, {"price": None}], "good": [{"title": "A", "price": 3}], "tags": ["x", None],
    "none": [], "profile.name": None, "profile.home": {"zip": "1"}, "vip": False,
}  # fmt: skip
PARTIALS = {
    "guarded": "{% if v != blank %}{{ v }}{% else %}none{% endif %}",
    "line": "[{{ v }}]",
    "own": "{% if v %}{{ v }}{% endif %}-",
}

HOLES = [
    ("{{ gone }}", "gone"),
    ("{{ nothing }}", "nothing"),
    ("{{ order.city }}", "order.city"),
    ("{{ order.street.number }}", "order.street.number"),
    ("{{ order['city'] }}", "order.city"),
    ("{{ profile.name }}", "profile.name"),
    ("{{ profile.home.city }}", "profile.home.city"),
    ("{{ none[0].title }}", "none[0].title"),
    ("{{ none.first }}", "none.first"),
    ("{{ items[1].title }}", "items[1].title"),
    ("{% for i in items %}{{ i.title }}{% endfor %}", "i.title"),
    ("{% for t in tags %}{{ t }}{% endfor %}", "t"),
    ("{% if gone != 'x' %}{{ gone }}{% endif %}", "gone"),
    ("{% if n %}{{ order.city }}{% endif %}", "order.city"),
    ("{% unless gone %}{{ gone }}{% endunless %}", "gone"),
    ("{% case gone %}{% when 'x' %}{% else %}{{ gone }}{% endcase %}", "gone"),
    ("{{ gone | upcase }}", "gone"),
    ("{{ gone | size }}", "gone"),
    ("{{ gone | plus: 1 }}", "gone"),
    ("{{ count | times: gone }}", "gone"),
    ("{{ n | append: gone }}", "gone"),
    ("{{ n | replace: 'A', gone }}", "gone"),
    ("{{ gone | default: nothing }}", "nothing"),
    ("{{ gone | append: '!' | upcase }}", "gone"),
    ("{{ gone | split: ',' | first }}", "gone"),
    ("{{ nothing | date: '%Y' }}", "nothing"),
    ("{{ gone | local: '%H' }}", "gone"),
    ("{{ tags | join: ', ' }}", ""),
    ("{{ tags }}", ""),
    ("{{ order }}", "order"),
    ("{{ items | last }}", "items | last"),
    ("{% if gone == blank or n %}{{ gone }}{% endif %}", "gone"),
    ("{% if nothing != empty %}{{ nothing }}{% endif %}", "nothing"),
    ("{{ items | map: 'title' | join: ', ' }}", ""),
    ("{{ items | sum: 'price' }}", ""),
    ("{{ none | first }}", "none | first"),
    ("{% assign x = gone %}{{ x }}", "gone"),
    ("{% assign x = gone | upcase %}{{ x }}", "gone"),
    ("{% assign parts = gone | split: ',' %}{{ parts | join: '-' }}", "gone"),
    ("{% capture x %}{{ gone }}{% endcapture %}{{ x }}", "gone"),
    ("{% echo gone %}", "gone"),
    ("{% cycle 'a', gone %}", "gone"),
    ("{% liquid echo gone %}", "gone"),
    ("{% render 'line', v: order.city %}", "order.city"),
    ("{% render 'line' %}", "v"),
    ("{% render 'line' for tags as v %}", "v"),
    ("{% tablerow t in tags %}{{ t }}{% endtablerow %}", "t"),
    ("Title: {{ gone }}\n\nText", "gone"),
    ("{{ material.sale.image }}", "material.sale.image"),
]


@pytest.mark.parametrize(("template", "name"), HOLES)
def test_a_hole_is_named_and_nothing_leaves(template: str, name: str) -> None:
    with pytest.raises(ContentError, match=r"^templates/t\.push\.liquid: no value for ") as error:
        rendered(f"Hello. {template}" if "Title" not in template else template)
    assert str(error.value).endswith(name)


FILLED = [
    ("{{ gone | default: 'you' }}", "you"),
    ("{{ gone | default: gone | default: 'you' }}", "you"),
    ("{{ gone | upcase | default: n }}", "Ada"),
    ("{{ gone | size | default: 'none' }}", "none"),
    ("{{ gone | default: n | upcase }}", "ADA"),
    ("{{ n | default: gone }}", "Ada"),
    ("{{ bare | default: 'you' }}", "you"),
    ("x{% if gone %}{{ gone }}{% endif %}", "x"),
    ("x{% if order.city %}{{ order.city }}{% endif %}", "x"),
    ("x{% if profile.name %}{{ profile.name }}{% else %}you{% endif %}", "xyou"),
    ("{% if vip %}{{ gone }}{% else %}no{% endif %}", "no"),
    ("x{% for i in gone %}{{ i }}{% endfor %}", "x"),
    ("{% for i in items %}{{ i.title | default: '-' }}{% endfor %}", "A-"),
    ("{% for i in items %}{% if i.title %}{{ i.title }}{% endif %}{% endfor %}", "A"),
    ("{% for i in good %}{{ i.title }}{{ forloop.index }}{{ forloop.last }}{% endfor %}", "A1true"),
    ("{{ good | map: 'title' | join: ', ' }}", "A"),
    ("{{ tags | compact | join: ', ' }}", "x"),
    ("{{ items | map: 'title' | compact | join: ', ' }}", "A"),
    ("{{ tags | size }}", "2"),
    ("{{ none | size }}", "0"),
    ("{{ good | sum: 'price' }}", "3"),
    ("{% assign k = gone | size %}{% if k == 0 %}none{% endif %}", "none"),
    ("{% assign k = gone | size %}{% if k < 1 %}none{% endif %}", "none"),
    ("{% assign x = gone %}{% if x == nil %}none{% endif %}", "none"),
    ("{% if gone == empty or gone == '' %}a{% else %}none{% endif %}", "none"),
    ("{% if gone == blank %}none{% else %}{{ gone }}{% endif %}", "none"),
    ("{% if order.city != blank %}{{ order.city }}{% else %}none{% endif %}", "none"),
    ("{% if blank == nothing and n != blank %}{{ n }}{% endif %}", "Ada"),
    ("{% unless bare == blank %}{{ bare }}{% else %}none{% endunless %}", "none"),
    ("{% if n == blank or count == blank or vip == blank %}a{% else %}{{ n }}{% endif %}", "Ada"),
    ("{% render 'guarded', v: order.city %}", "none"),
    ("{% if n %}{% if gone == blank %}none{% endif %}{% endif %}", "none"),
    ("{{ good | first }}", "{'title': 'A', 'price': 3}"),
    ("{{ vip }} {{ count }} {{ order.id }} {{ profile.home.zip }}", "false 2 7 1"),
    ("x{{ bare }}", "x"),
    ("{% render 'own', v: gone %}", "-"),
    ("{% cycle 'a', 'b' %}", "a"),
    ("{% increment i %}", "0"),
]


@pytest.mark.parametrize(("template", "text"), FILLED)
def test_what_is_not_printed_or_stood_in_for_is_no_hole(template: str, text: str) -> None:
    assert rendered(template) == text


@pytest.mark.parametrize(
    "template", ["", " \n ", "{% if gone %}x{% endif %}", "{{ bare }}", "{% comment %}x{% endcomment %}"]
)
def test_an_empty_text_does_not_leave(template: str) -> None:
    with pytest.raises(ContentError, match="the text is empty"):
        rendered(template)


def rendered(template: str) -> str:
    return Renderer({"t.push": template, **PARTIALS}).render("t", "push", THERE).text


MOMENT = 1_793_665_800_000  # 2026-11-03T00:30Z


@pytest.mark.parametrize(
    ("template", "value", "zone", "text"),
    [
        ('{{ at | local: "%H:%M" }}', MOMENT, "Asia/Shanghai", "08:30"),
        ('{{ at | local: "%H:%M" }}', MOMENT, "America/New_York", "19:30"),
        ('{{ at | local: "%d.%m. %H:%M" }}', "2026-11-03T01:30:00+01:00", "Europe/Berlin", "03.11. 01:30"),
        ("{{ at | local }}", MOMENT, "Europe/Berlin", "2026-11-03 01:30"),
        ('{{ at | local: "%H" | default: "soon" }}', None, "Europe/Berlin", "soon"),
        ('{{ at | local: "%H" | default: "soon" }}', "tomorrow", "Europe/Berlin", "soon"),
        ('{{ at | local: "%H" | default: "soon" }}', 1_793_665_800, "Europe/Berlin", "soon"),
    ],
)
def test_time_on_the_reader_s_clock(template: str, value: Any, zone: str, text: str) -> None:
    renderer = Renderer({"t.push": template})
    assert renderer.render("t", "push", {"at": value}, ZoneInfo(zone)).text == text


@pytest.mark.parametrize(
    "value", [None, "tomorrow", "2026-11-03", "2026-11-03T01:30:00", 1_793_665_800, True, [1], 1.5]
)
def test_what_is_no_moment_is_a_hole(value: Any) -> None:
    with pytest.raises(ContentError, match="no value for at"):
        Renderer({"t.push": "{{ at | local: '%H' }}"}).render("t", "push", {"at": value}, ZoneInfo("UTC"))


def test_no_zone_no_local_time() -> None:
    """Of a delivery that was decided before there was one: rather none than another's."""
    with pytest.raises(ContentError, match="no value for at"):
        Renderer({"t.push": "{{ at | local: '%H' }}"}).render("t", "push", {"at": MOMENT})
