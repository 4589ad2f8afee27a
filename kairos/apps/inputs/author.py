"""Who makes a change, as it is written down beside it."""

from __future__ import annotations

import getpass

MAX_NAME = 190


def user_name() -> str:
    """The name of the user whose process this is; not who they are: it proves nothing."""
    try:
        return getpass.getuser()[:MAX_NAME]
    except (OSError, KeyError):  # a container may have a user id without a name
        return "unknown"
