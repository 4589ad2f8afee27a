"""`catalogs.yaml` and `coupons.yaml`: every field."""

from __future__ import annotations

from kairos.engine.rule.fields.common import EVENT, NAMED, NAMED_PROP, PROP_TYPE
from kairos.engine.rule.fields.types import REQUIRED, Duration, Field, Integer, MapOf, Record, Text

MOST_FOLLOWERS = 1_000_000

CATALOG = Record(
    "catalog",
    "Things that users follow: products, flights, courses. Items come as events `catalog.item`.",
    (
        Field("key", NAMED_PROP, "The prop that names an item, in its own events and in those of users.", REQUIRED),
        Field("fields", MapOf("field", NAMED_PROP, PROP_TYPE, 1), "What is known of an item, and its type.", REQUIRED),
        Field("follow", MapOf("event type", EVENT, Duration()),
              "Which events of a user make her follow the item, and for how long. What changes of it then comes to her "
              "as `catalog.changed`."),
        Field("max_followers", Integer(1, MOST_FOLLOWERS), "Of one item; whoever comes when it is full is counted, and "
              "does not follow.", 100_000),
    ),
)  # fmt: skip
CATALOGS = MapOf("catalog", NAMED, CATALOG)

COUPON = Record(
    "coupon pool",
    'Codes, of which each message gets one of its own: `data: {code: coupon("spring")}`.',
    (
        Field("codes", Text("`redis`, or a file of the rule folder, such as coupons/spring.txt", longest=200),
              "Where the codes come from: a file, one code a line, or `redis`: `kairos coupons load`.", REQUIRED),
        Field("per_user", Integer(1), "So many codes for one user at most.", shown_default="no limit"),
    ),
)  # fmt: skip
COUPONS = MapOf("coupon pool", NAMED, COUPON)
