"""The one root of what a use case or an adapter raises for people to read."""

from __future__ import annotations


class KairosError(Exception):
    """What was asked cannot be done. The message says what, where, and what was expected; it may have several lines.

    The subclass says whose turn it is: of whoever asked, of a file, of a server that does not answer. A face of Kairos
    (command, page, API) catches this one, and tells the message in its own way.
    """
