"""Conditions on edges: boolean formulas over atoms, an atom being a question that a step asks of an event.

A formula knows nothing of events. `settle` puts in what is known and simplifies, so that the matcher can turn the
edges of a state into a decision tree that asks each atom at most once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Atom:
    """A question of step number `step`: is the event of its type and does its `where` hold, or does its `until`?"""

    step: int
    until: bool = False

    @property
    def number(self) -> int:
        """Its place in a list of all atoms of a pattern: two for each step."""
        return 2 * self.step + self.until


@dataclass(frozen=True, slots=True)
class Not:
    """True where `of` is false."""

    of: Formula


@dataclass(frozen=True, slots=True)
class And:
    """True where both are."""

    left: Formula
    right: Formula


@dataclass(frozen=True, slots=True)
class Or:
    """True where one is."""

    left: Formula
    right: Formula


Formula = bool | Atom | Not | And | Or


def both(left: Formula, right: Formula) -> Formula:
    """`left and right`, simplified where one is a constant."""
    if left is False or right is False:
        return False
    if left is True:
        return right
    return left if right is True else And(left, right)


def either(left: Formula, right: Formula) -> Formula:
    """`left or right`, simplified where one is a constant."""
    if left is True or right is True:
        return True
    if left is False:
        return right
    return left if right is False else Or(left, right)


def negate(formula: Formula) -> Formula:
    """`not formula`, simplified where it is a constant."""
    return not formula if isinstance(formula, bool) else Not(formula)


def settle(formula: Formula, known: Mapping[Atom, bool]) -> Formula:
    """The formula with the known atoms put in; a bool once they decide it."""
    if isinstance(formula, bool):
        return formula
    if isinstance(formula, Atom):
        return known.get(formula, formula)
    if isinstance(formula, Not):
        return negate(settle(formula.of, known))
    left = settle(formula.left, known)
    if isinstance(formula, And):
        return False if left is False else both(left, settle(formula.right, known))
    return True if left is True else either(left, settle(formula.right, known))


def first_atom(formula: Formula) -> Atom | None:
    """The atom to ask first; None if the formula is a constant."""
    if isinstance(formula, bool):
        return None
    if isinstance(formula, Atom):
        return formula
    if isinstance(formula, Not):
        return first_atom(formula.of)
    return first_atom(formula.left)


def atoms(formula: Formula) -> set[Atom]:
    """All questions that the formula asks."""
    if isinstance(formula, bool):
        return set()
    if isinstance(formula, Atom):
        return {formula}
    if isinstance(formula, Not):
        return atoms(formula.of)
    return atoms(formula.left) | atoms(formula.right)
