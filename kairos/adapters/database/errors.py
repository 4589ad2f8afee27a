"""What can be wrong with a database."""

from __future__ import annotations

from kairos.errors import KairosError


class DatabaseError(KairosError):
    """The address is not usable, or nobody answers there; the message hides the password."""


class DatabaseAwayError(KairosError):
    """The database cannot be reached, or did not answer: whether the changes were made is not known.

    Trying the same changes again is safe: a row that is already as wanted counts as changed.
    """
