"""Two things that are said of one person, put together so that no refusal is lost: of imports, and of two who are one.

Whoever unsubscribed stays so, whoever is on the black list stays there, an address that is dead stays dead, a consent
that was taken back stays taken back. What cannot be read stays as it is: it stands for no.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kairos.engine.profile.consent import UNREADABLE, names_in

CONSENT = ("unsubscribed", "lists", "dead_addresses", "consents")
"""Fields that are united; of every other one the newer, or the better known, value stands."""
WHITE = "white"


def imported(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that an import sets in a profile that is `known`. It never puts anybody on the white list, and
    switches on no consent that was switched off."""
    fields = {name: value for name, value in given.items() if name not in CONSENT}
    for name in CONSENT:
        if given.get(name) is not None:
            value = _united(name, known.get(name), given[name], white_stays=True)
            if value != known.get(name):
                fields[name] = value
    return fields


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """The profile of two who are one person: the fields of the first, what only the other has, and the stricter of
    both where it is about what she allows; on the white list only where both are. Crowds by hand are those of both."""
    profile = {**other, **one}
    for name in CONSENT:
        if one.get(name) is not None or other.get(name) is not None:
            profile[name] = _united(name, one.get(name), other.get(name), white_stays=False)
    crowds = [name for part in (one, other) for name in part.get("crowds") or () if isinstance(name, str)]
    if crowds:
        profile["crowds"] = list(dict.fromkeys(crowds))
    return profile


def _united(name: str, known: Any, given: Any, *, white_stays: bool) -> Any:
    if name == "consents":
        return _consents(known, given)
    if name == "dead_addresses":
        return list(dict.fromkeys([*_texts(known), *_texts(given)]))
    if name == "unsubscribed":
        return list(dict.fromkeys([*_names(name, known), *_names(name, given)]))
    before, said = _names(name, known), _names(name, given)
    white = WHITE in before and (white_stays or WHITE in said)
    return list(dict.fromkeys([*(n for n in (*before, *said) if n != WHITE), *([WHITE] if white else [])]))


def _consents(known: Any, given: Any) -> Any:
    """By topic. Off wins over on, whichever was said later; what nobody can read is off for all, and stays."""
    for value in (known, given):
        if value is not None and not isinstance(value, dict):
            return value
    first, second = known or {}, given or {}
    found = {**second, **first}
    for topic, consent in second.items():
        if _is_off(consent) and not _is_off(first.get(topic, consent)):
            found[topic] = consent
    return found


def _is_off(consent: Any) -> bool:
    """A consent that nobody can read is none."""
    return not (isinstance(consent, dict) and consent.get("on") is True)


def _names(field: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, list) and UNREADABLE in value:
        return tuple(str(name) for name in value)
    names = names_in(field, value)
    return (UNREADABLE,) if names is None else names


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
