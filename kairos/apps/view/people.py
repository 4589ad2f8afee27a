"""People in a terminal: one line a fact, and who said so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import msgspec

from kairos.apps.view.terminal import count, escape, quote
from kairos.usecases.people.find import Found
from kairos.usecases.people.forget import Gone
from kairos.usecases.people.import_file import Imported
from kairos.usecases.people.show import Fact, Person

_WIDE = 22


def found_lines(found: Sequence[Found]) -> list[str]:
    return [
        f"{escape(one.user_id):<{_WIDE}}  {escape(', '.join(one.by[:3]))}"
        + (f", {_moment(one.last)}" if one.last else "")
        for one in found
    ]


def plain_person(person: Person) -> dict[str, Any]:
    """For JSON."""
    plain: dict[str, Any] = msgspec.to_builtins(asdict(person))
    return plain


def person_lines(person: Person) -> list[str]:
    lines = [escape(person.user_id)]
    if person.merged_into:
        lines.append(f"  is {escape(person.merged_into)} now")
    if person.merged:
        lines.append(f"  was also {escape(', '.join(person.merged))}")
    for title, facts in (
        ("identities", person.identities),
        ("profile", person.profile),
        ("crowds", person.crowds),
        ("lists", person.lists),
        ("consents", person.consents),
    ):
        lines += _section(title, [_fact(fact) for fact in facts])
    scores = [f"{escape(name):<{_WIDE}}  {value:.4g}" for name, value in sorted(person.scores.items())]
    if person.grade is not None:
        scores.append(f"{'grade':<{_WIDE}}  {person.grade}")
    lines += _section("scores", scores)
    pending = [
        f"{escape(one.activity):<{_WIDE}}  {escape(one.why)}, since {_moment(one.since)}" for one in person.pending
    ]
    lines += _section("waits (times in UTC)", pending)
    decisions = [
        f"{_moment(one.at)}  {escape(one.activity):<{_WIDE}}  {escape(one.outcome)}"
        + "".join(f" {escape(more)}" for more in (one.channel, one.reason) if more)
        for one in person.decisions
    ]
    return lines + _section("decisions (times in UTC)", decisions)


def gone_lines(gone: Gone) -> list[str]:
    return [
        f"{place:<{_WIDE}}  {', '.join(f'{what} {number:,}' for what, number in of.items())}"
        for place, of in gone.items()
    ]


def imported_lines(done: Imported, *, dry_run: bool) -> list[str]:
    said = "would be" if dry_run else "were"
    lines = [
        f"{count(done.users, 'user')}: {done.new:,} {said} new, {done.users - done.new - done.unchanged:,} {said} "
        f"changed, {done.unchanged:,} as they are"
    ]
    if done.skipped:
        lines.append(f"  {count(done.skipped, 'row')} were done before, when this import was stopped")
    lines += [f"  {escape(name):<{_WIDE}}  set {number:,}" for name, number in sorted(done.fields.items())]
    lines += [f"  {escape(name):<{_WIDE}}  kept {number:,}, stricter than the file" for name, number in
              sorted(done.kept.items())]  # fmt: skip
    if done.reported:
        lines.append(f"  {count(done.reported, 'remark')} above")
    return lines


def _section(title: str, lines: list[str]) -> list[str]:
    return [f"  {title}", *(f"    {line}" for line in lines)] if lines else []


def _fact(fact: Fact) -> str:
    said = "" if fact.value is True else f"{quote(_text(fact.value), 60):<30}  "
    return f"{escape(fact.name):<{_WIDE}}  {said}({escape(fact.origin)})"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")
