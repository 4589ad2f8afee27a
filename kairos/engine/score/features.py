"""What a lookalike model looks at: numbers about a user that follow from her events before a moment and her profile.

Found in a sample of users: how often each type of event, how lately, with which values, with what sums; and the typed
fields of the profile. Each is an expression of SQL, so that the warehouse works them out, for few users or for all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

from kairos.engine.event import OWN
from kairos.engine.expression.sql.pieces import quoted
from kairos.engine.profile.fields import OWN_FIELDS, SCORE
from kairos.engine.score.spec import DAY

MOST = 120
"""Features of a model: those that most of the sampled users have."""
MOST_VALUES = 12
"""Values of one prop or field."""
FADING = 30 * DAY
"""How lately: 1 now, 1/e after so long, 0 where never."""
_SHORT = 100  # characters of a value that is a category, and no text

Kind = Literal["count", "recency", "value", "sum", "number", "category", "flag"]


class Feature(NamedTuple):
    """`of`: an event type, or "" of the profile. `value`: of a category."""

    kind: Kind
    of: str
    prop: str = ""
    value: str = ""

    def said(self, *, more: bool) -> str:
        """In a few words, of somebody who has more or less of it than others."""
        much, of = ("more", self.of) if more else ("less", self.of)
        match self.kind:
            case "count":
                return f"{much} {of}"
            case "recency":
                return f"{of} {'more lately' if more else 'longer ago'}"
            case "value":
                return f"{much} {of} with {self.prop} {self.value}"
            case "sum":
                return f"{much} {self.prop} of {of}"
            case "number":
                return f"{'higher' if more else 'lower'} {self.prop}"
            case "flag":
                return f"{self.prop} {'is known' if more else 'is not known'}"
        return f"{self.prop} {'is' if more else 'is not'} {self.value}"


class Barred(NamedTuple):
    """What the seed's own rule reads, and a model therefore must not: event types, and fields of the profile."""

    types: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()
    every_type: bool = False


NOTHING_BARRED = Barred()


def features_of(
    events: Iterable[tuple[str, str, Mapping[str, Any]]],
    profiles: Iterable[Mapping[str, Any]],
    types: Mapping[str, str],
    barred: Barred,
) -> list[Feature]:
    """`events`: (user, type, props) of the sampled users; `profiles`: theirs; `types`: column of `profiles` -> type."""
    users: Counter[Feature] = Counter()
    seen: set[tuple[str, Feature]] = set()
    for user, type_, props in events:
        if barred.every_type or type_ in barred.types or type_.startswith(OWN):
            continue
        found = [Feature("count", type_), Feature("recency", type_)]
        found += [feature for prop, value in props.items() if (feature := _of_prop(type_, prop, value))]
        for feature in found:
            if (user, feature) not in seen:
                seen.add((user, feature))
                users[feature] += 1
    users.update(_of_profiles(profiles, types, barred))
    return _chosen(users)


def _of_prop(type_: str, prop: str, value: Any) -> Feature | None:
    if isinstance(value, bool) or not prop.isidentifier():
        return None
    if isinstance(value, int | float):
        return Feature("sum", type_, prop)
    return Feature("value", type_, prop, value) if isinstance(value, str) and 0 < len(value) <= _SHORT else None


def _of_profiles(profiles: Iterable[Mapping[str, Any]], types: Mapping[str, str], barred: Barred) -> Counter[Feature]:
    """What is Kairos' own says whom it may write to, or who is in which crowd: nothing that others are like."""
    users: Counter[Feature] = Counter()
    own = (OWN_FIELDS.keys() - {"timezone"}) | barred.fields | {"user_id"}
    fields = [name for name in types if name not in own and not name.startswith(SCORE)]
    for profile in profiles:
        for name in fields:
            value = profile.get(name)
            if value is None:
                continue
            if types[name] == "VARCHAR":
                if 0 < len(value) <= _SHORT:
                    users[Feature("category", "", name, value)] += 1
            else:
                users[Feature("number", "", name)] += 1
                users[Feature("flag", "", name)] += 1
    return users


def _chosen(users: Counter[Feature]) -> list[Feature]:
    """In an order that follows from them alone. A value that one user has tells nothing of others."""
    values: Counter[tuple[str, str]] = Counter()
    chosen = []
    for feature, count in sorted(users.items(), key=lambda item: (-item[1], item[0])):
        if feature.value:
            values[feature.of, feature.prop] += 1
            if values[feature.of, feature.prop] > MOST_VALUES or count < 2:
                continue
        chosen.append(feature)
    return chosen[:MOST]


# --------------------------------------------------------------------------------------------------------------- SQL
def features_sql(features: list[Feature], as_of: int) -> str:
    """A SELECT of user_id and f0, f1, ... (DOUBLE, never null), of everybody in `events` before `as_of` and in
    `profiles`."""
    props = sorted({feature.prop for feature in features if feature.of and feature.prop})
    numbers = {prop: f"j{number}" for number, prop in enumerate(props)}
    read = "".join(f", kairos_json(e.props, {quoted(f'$.{prop}')}) AS {numbers[prop]}" for prop in props)
    types = sorted({feature.of for feature in features if feature.of})
    known = f"AND e.type IN ({', '.join(map(quoted, types))})" if types else "AND false"
    inner = f"SELECT e.user_id, e.type, e.time_ms{read} FROM events e WHERE e.time_ms < {as_of} {known}"
    sums = [
        f"{_aggregate(feature, numbers, as_of)} AS a{number}" for number, feature in enumerate(features) if feature.of
    ]
    values = [f"{_value(feature, number)} AS f{number}" for number, feature in enumerate(features)]
    return f"""
SELECT u.user_id, {", ".join(values)}
FROM (SELECT user_id FROM events WHERE time_ms < {as_of} UNION SELECT user_id FROM profiles) u
LEFT JOIN (SELECT {", ".join(["e.user_id", *sums])} FROM ({inner}) e GROUP BY e.user_id) a ON a.user_id = u.user_id
LEFT JOIN profiles p ON p.user_id = u.user_id"""


def _aggregate(feature: Feature, numbers: Mapping[str, str], as_of: int) -> str:
    mine = f"e.type = {quoted(feature.of)}"
    match feature.kind:
        case "recency":
            age = f"({as_of} - max(CASE WHEN {mine} THEN e.time_ms END))"
            return f"exp(-CAST({age} AS DOUBLE) / {FADING}e0)"
        case "sum":
            exact = f"kairos_exact(kairos_number({numbers[feature.prop]}))"
            total = f"CAST(coalesce(sum(CASE WHEN {mine} THEN {exact} END), 0) AS DOUBLE) / 1e9"
            return f"sign({total}) * ln(1e0 + abs({total}))"
        case "value":
            mine += f" AND kairos_text({numbers[feature.prop]}) = {quoted(feature.value)}"
    return f"ln(1e0 + count(CASE WHEN {mine} THEN 1 END))"


def _value(feature: Feature, number: int) -> str:
    column = f'p."{feature.prop}"'
    match feature.kind:
        case "number":
            return f"coalesce(CAST({column} AS DOUBLE), 0e0)"
        case "flag":
            return f"CASE WHEN {column} IS NULL THEN 0e0 ELSE 1e0 END"
        case "category":
            return f"CASE WHEN {column} = {quoted(feature.value)} THEN 1e0 ELSE 0e0 END"
    return f"coalesce(a{number}, 0e0)"
