"""catalogs.yaml and coupons.yaml: names that stand for something else already, and codes that are not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from kairos.engine.catalog.spec import WAS
from kairos.engine.expression.translate import RESERVED
from kairos.engine.rule.content.template_facts import OWN, ROOTS
from kairos.engine.rule.fields.reading.value import Value
from kairos.engine.rule.lint.references import check_prop, check_type
from kairos.engine.rule.lint.world import World
from kairos.engine.rule.lower.catalog import CODE_FILES, REDIS, codes_in
from kairos.engine.rule.text.report import Report, nearest, shown

LONGEST_CODE = 200
_TAKEN = {*RESERVED, *ROOTS, *OWN}


def check_catalogs(values: Value, world: World, report: Report) -> None:
    for name, catalog in values.items():
        if name in _TAKEN:
            message = f"a catalog cannot be called '{name}': expressions and templates read something else there"
            report.error(values.keys[name], "bad-name", message)
        _check_fields(catalog, report)
        if not catalog.broken:
            _check_follow(catalog, world, report)


def _check_fields(catalog: Value, report: Report) -> None:
    fields, key = catalog.find("fields"), catalog.find("key")
    own = {"catalog", key.data if key else ""}
    for name, node in fields.keys.items() if fields else ():
        if name in own:
            message = f"fields: '{name}' is said of every item already"
            report.error(node, "bad-name", message, "leave it out")
        elif name.startswith(WAS) and name.removeprefix(WAS) in (fields.keys if fields else ()):
            message = f"fields: '{name}' is what catalog.changed calls the old value of '{name.removeprefix(WAS)}'"
            report.error(node, "bad-name", message, "give the field another name")


def _check_follow(catalog: Value, world: World, report: Report) -> None:
    """Each event must carry the key."""
    follow = catalog.find("follow")
    for type_, node in follow.keys.items() if follow else ():
        check_type(type_, node, "follow", world, report)
        props = world.props([type_])
        if props is not None:
            check_prop(catalog["key"], f"key: of {type_}", props, report)


def check_coupons(values: Value, world: World, report: Report) -> None:
    for _, pool in values.items():
        if codes := pool.find("codes"):
            for message, hint in _wrong_with(str(codes.data), world):
                report.error(codes.node, "coupon-codes", f"codes: {message}", hint)


def _wrong_with(place: str, world: World) -> Iterator[tuple[str, str | None]]:
    if place == REDIS:
        return
    if not place.endswith(CODE_FILES):
        yield f"expected redis, or a file .txt or .csv of the rule folder, found {shown(place)}", None
    elif place not in world.codes:
        hint = nearest(place, world.codes) or "the path is relative to the rule folder; one code a line"
        yield f"there is no file {shown(place)}", hint
    else:
        codes = codes_in(world.codes[place])
        if not codes:
            yield f"{shown(place)} has no codes", "one code a line"
        twice = [code for code, number in Counter(codes).items() if number > 1]
        if twice:
            yield f"{shown(place)} has {shown(twice[0])} more than once: two people would get it", "remove one of them"
        if any(len(code) > LONGEST_CODE for code in codes):
            yield f"{shown(place)} has a line of more than {LONGEST_CODE} characters", "one code a line"
