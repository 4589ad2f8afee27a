"""What reviewers see of each thing that was submitted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import unified_diff

from kairos.engine.rule.changes.in_words import in_words
from kairos.engine.rule.changes.semantic_diff import Difference, differences
from kairos.engine.rule.model import RuleSet
from kairos.engine.rule.workflow.subjects import Subject
from kairos.usecases.rules.publish import Proposal


def plans_of(proposal: Proposal, subjects: Iterable[Subject]) -> dict[str, list[str]]:
    """Name of a subject -> the differences by field, and what becomes of matches in flight, a line each. Nothing is cut
    off: what nobody has seen nobody has agreed to."""
    found = differences(proposal.before or RuleSet(), proposal.after)
    return {subject.name: [*_plan(proposal, found, subject)] for subject in subjects}


def _plan(proposal: Proposal, found: Iterable[Difference], subject: Subject) -> Iterator[str]:
    for each in found:
        if subject.has(each.field):
            yield from told_difference(each)
    for change in proposal.change.changes:
        if change.activity == subject.name:
            yield f"matches in flight: {change.in_flight}"


def told_difference(each: Difference) -> Iterator[str]:
    """A text of several lines is compared by line."""
    one, other = each.before, each.after
    if isinstance(one, str) and isinstance(other, str) and "\n" in one + other:
        yield f"{each.field}:"
        yield from (f"  {line}" for line in by_line(one, other))
    else:
        yield f"{each.field}: {in_words(each.field, one)} -> {in_words(each.field, other)}"


def by_line(one: str, other: str) -> list[str]:
    """As `diff -u` has it, without the names of files."""
    return [*unified_diff(one.split("\n"), other.split("\n"), lineterm="")][2:]
