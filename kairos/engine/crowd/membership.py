"""Who is in which crowd: closures over (user, scope)."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from kairos.engine.crowd.spec import Crowd, Members, RuleCrowd, Sample, SetCrowd
from kairos.engine.decision import share_of
from kairos.engine.expression import parse
from kairos.engine.expression.scope import Scope

Membership = Callable[[str, Scope], bool]

SNAPSHOTS = ":snapshots"
"""Key of a profile under which its source says which snapshot of each kept crowd it has looked at: name -> n. No
expression can read a field of this name."""


def compile_crowds(crowds: Mapping[str, Crowd], kept: Container[str] = ()) -> dict[str, Membership]:
    """Name -> membership. The rule set was linted: every name exists and there is no cycle.

    `kept`: those of which there are snapshots; the profile's `crowds` say who is a member.
    """
    compiler = _Compiler(crowds, kept)
    return {name: compiler.named(name) for name in crowds}


class _Compiler:
    def __init__(self, crowds: Mapping[str, Crowd], kept: Container[str]) -> None:
        self._crowds = crowds
        self._kept = kept

    def named(self, name: str) -> Membership:
        if name in self._kept:
            return _snapshot(name)
        return self._compile(name, name, self._crowds[name])

    def _compile(self, name: str, salt: str, crowd: Crowd) -> Membership:
        match crowd:
            case Members(users=None):
                return _snapshot(name)
            case Members(users=users):
                listed = frozenset(users or ())
                return lambda user, _scope: user in listed
            case RuleCrowd(where=where):
                predicate = parse(where).predicate()
                return lambda _user, scope: predicate(scope)
            case Sample():
                return self._sample(salt, crowd)
            case SetCrowd():
                return self._set(salt, crowd)
        return _nobody  # only a snapshot could tell, and lint says so

    def _part(self, salt: str, part: str | Crowd) -> Membership:
        return self.named(part) if isinstance(part, str) else self._compile("", salt, part)

    def _set(self, salt: str, crowd: SetCrowd) -> Membership:
        parts = [self._part(salt, part) for part in crowd.parts]
        if crowd.operation == "union":
            return lambda user, scope: any(part(user, scope) for part in parts)
        if crowd.operation == "intersect":
            return lambda user, scope: all(part(user, scope) for part in parts)
        first, *others = parts
        return lambda user, scope: first(user, scope) and not any(part(user, scope) for part in others)

    def _sample(self, salt: str, crowd: Sample) -> Membership:
        share = crowd.share
        if crowd.of is None:
            return lambda user, _scope: share_of(user, salt) < share
        whole = self._part(salt, crowd.of)
        return lambda user, scope: share_of(user, salt) < share and whole(user, scope)


def _nobody(_user: str, _scope: Scope) -> bool:
    return False


def _snapshot(name: str) -> Membership:
    def is_member(_user: str, scope: Scope) -> bool:
        if scope.asked is not None:
            scope.asked.add(name)
        return name in _names(scope.profile.get("crowds"))

    return is_member


def _names(value: Any) -> Sequence[Any]:
    """What a profile holds may be anything; only a list says where the user belongs."""
    return value if isinstance(value, list | tuple) else ()
