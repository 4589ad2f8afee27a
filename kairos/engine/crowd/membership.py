"""Who is in which crowd: closures over (user, scope)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kairos.engine.crowd.spec import Crowd, Members, RuleCrowd, Sample
from kairos.engine.decision import share_of
from kairos.engine.expression import parse
from kairos.engine.expression.scope import Scope

Membership = Callable[[str, Scope], bool]


def compile_crowds(crowds: Mapping[str, Crowd]) -> dict[str, Membership]:
    """Name -> membership. The rule set was linted: every name exists and there is no cycle."""
    return {name: _compile(name, name, crowd, crowds) for name, crowd in crowds.items()}


def _compile(name: str, salt: str, crowd: Crowd, crowds: Mapping[str, Crowd]) -> Membership:
    if isinstance(crowd, Members):
        return _members(name, crowd)
    if isinstance(crowd, RuleCrowd):
        predicate = parse(crowd.where).predicate()
        return lambda _user, scope: predicate(scope)
    if isinstance(crowd, Sample):
        return _sample(salt, crowd, crowds)
    parts = [_part(salt, part, crowds) for part in crowd.parts]
    if crowd.operation == "union":
        return lambda user, scope: any(part(user, scope) for part in parts)
    if crowd.operation == "intersect":
        return lambda user, scope: all(part(user, scope) for part in parts)
    first, *others = parts
    return lambda user, scope: first(user, scope) and not any(part(user, scope) for part in others)


def _part(salt: str, part: str | Crowd, crowds: Mapping[str, Crowd]) -> Membership:
    if isinstance(part, str):
        return _compile(part, part, crowds[part], crowds)
    return _compile("", salt, part, crowds)


def _members(name: str, crowd: Members) -> Membership:
    if crowd.users is None:
        return lambda _user, scope: name in _crowds_of(scope.profile.get("crowds"))
    users = frozenset(crowd.users)
    return lambda user, _scope: user in users


def _crowds_of(value: Any) -> Sequence[Any]:
    """What a profile holds may be anything; only a list says where the user belongs."""
    return value if isinstance(value, list | tuple) else ()


def _sample(salt: str, crowd: Sample, crowds: Mapping[str, Crowd]) -> Membership:
    whole = _part(salt, crowd.of, crowds) if crowd.of is not None else None
    return lambda user, scope: share_of(user, salt) < crowd.share and (whole is None or whole(user, scope))
