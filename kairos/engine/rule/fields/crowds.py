"""`crowds.yaml`: every field."""

from __future__ import annotations

from kairos.engine.rule.fields.common import (
    NAMED,
    NAMES,
    RULE,
    USER,
    VALUE,
)
from kairos.engine.rule.fields.types import (
    REQUIRED,
    Choice,
    Duration,
    Field,
    Integer,
    ListOf,
    MapOf,
    Named,
    OneOf,
    Percent,
    Record,
    Text,
    Type,
)

_KEPT_OR_USERS = OneOf((Choice(("kept", "redis")), ListOf(USER)))
_PART = OneOf((NAMED, Named("crowd", lambda: crowd_type())))
_PARTS = ListOf(_PART, 1)
_SQL_FILE = Text("a file of the folder crowds/, such as lapsing.sql", r"[A-Za-z0-9_-]+\.sql", longest=100)

LOOKALIKE = Record(
    "lookalike",
    "Users who are like the members of another crowd.",
    (
        Field("seed", NAMED, "The crowd whose members they are like.", REQUIRED),
        Field("size", Integer(1), "So many users; a smaller size lies in a larger one.", REQUIRED),
        Field("exclude", NAMES, "Without the members of these crowds.", ()),
        Field("as_of", Choice(("daily",)), "When it is found anew.", "daily"),
    ),
)

CROWD = Record(
    "crowd",
    "A set of users: asked live, or kept as snapshots that the warehouse computes.",
    (
        Field("members", _KEPT_OR_USERS, "A list of users: kept by hand (`kept`; `redis` is its old name), or here."),
        Field("where", RULE, "Everyone of whom this is true: `profile.x`, `metric.x`, `in_crowd(...)`; with `refresh` "
              "`profile.x`, `rfm.x`, `count(TYPE, 30d)` and the like."),
        Field("sql", _SQL_FILE, "Whom this SELECT of `user_id` over the warehouse names; with `refresh`."),
        Field("union", _PARTS, "In any of these crowds."),
        Field("intersect", _PARTS, "In all of these crowds."),
        Field("difference", _PARTS, "In the first and in none of the others."),
        Field("sample", Percent(), "A sticky share."),
        Field("limit", Integer(1, 100_000_000), "So many members, the greatest by `by`; with `refresh`."),
        Field("lookalike", LOOKALIKE, "Users who are like others."),
        Field("of", _PART, "What the share or the limit is taken of.", shown_default="everyone"),
        Field("by", VALUE, "What a limit is ordered by, the greatest first: `total(purchase.amount, 90d)`.",
              shown_default="the hash of user and crowd"),
        Field("refresh", Duration(), "Computed in the warehouse, so often; every named part is a kept crowd, too.",
              shown_default="asked live"),
        Field("initial", Choice(("emit",)), "The first snapshot emits `crowd.entered` of every member, too.",
              shown_default="it emits nothing"),
    ),
    choose=("members", "where", "sql", "union", "intersect", "difference", "sample", "limit", "lookalike"),
)  # fmt: skip


def crowd_type() -> Type:
    return CROWD


CROWDS = MapOf("crowd", NAMED, CROWD)
