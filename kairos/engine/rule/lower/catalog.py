"""catalogs.yaml and coupons.yaml become catalogs and pools."""

from __future__ import annotations

from collections.abc import Mapping

from kairos.engine.catalog.spec import Catalog
from kairos.engine.coupon.spec import Coupon
from kairos.engine.rule.fields.reading.value import Value

REDIS = "redis"
CODE_FILES = (".txt", ".csv")
"""What the name of a file of codes ends with."""


def lower_catalogs(value: Value) -> dict[str, Catalog]:
    """Those that could be read as a whole."""
    return {name: _catalog(entry) for name, entry in value.items() if not entry.broken and "key" in entry}


def _catalog(value: Value) -> Catalog:
    return Catalog(value.plain("key"), value.plain("fields"), value.plain("follow") or {}, value.plain("max_followers"))


def lower_coupons(value: Value, files: Mapping[str, str]) -> dict[str, Coupon]:
    """`files`: path below the rule folder -> text. Of a file that is not there a pool has no codes."""
    return {name: _coupon(entry, files) for name, entry in value.items() if "codes" in entry}


def _coupon(value: Value, files: Mapping[str, str]) -> Coupon:
    place = value.plain("codes")
    codes = None if place == REDIS else tuple(dict.fromkeys(codes_in(files.get(place, ""))))
    return Coupon(codes, value.plain("per_user"))


def codes_in(text: str) -> list[str]:
    """One code a line; empty lines say nothing."""
    return [code for line in text.splitlines() if (code := line.strip())]
