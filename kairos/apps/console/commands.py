"""Commands as a page shows them: with the places that the console itself looks at, so that they can be called."""

from __future__ import annotations

from shlex import quote

FOLDER_ALONE = ("lint", "test", "new", "plans")
"""They name the rule folder themselves, and ask nothing of an installation; but for `plans evidence`."""
WITH_RULES = (
    "alarms",
    "count",
    "crowds",
    "measure",
    "people index",
    "people show",
    "plans evidence",
    "report",
    "schedule",
)


def placed(command: str, conf: str, rules: str) -> str:
    """`command`: one or several, with `&&` between them."""
    return " && ".join(_placed(one, conf, rules) for one in command.split(" && "))


def _placed(command: str, conf: str, rules: str) -> str:
    words = command.removeprefix("kairos ")
    if _is(words, FOLDER_ALONE) and not _is(words, ("plans evidence",)):
        return command
    folder = f" --rules {quote(rules)}" if _is(words, WITH_RULES) and rules != "rules" else ""
    return f"{command}{folder} --conf {quote(conf)}"


def _is(words: str, names: tuple[str, ...]) -> bool:
    return any(words == name or words.startswith(f"{name} ") for name in names)
