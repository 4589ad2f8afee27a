"""Why a use case does not do what was asked. Errors of adapters pass through as they are: they are KairosErrors too."""

from __future__ import annotations

from collections.abc import Sequence

from kairos.engine.rule.finding import Finding
from kairos.errors import KairosError


class NotThereError(KairosError):
    """What was named does not exist: a folder, an activity, a user, a source."""


class InputError(KairosError):
    """A file that was given cannot be used. `what`: "the events", or nothing; `place`: its path, or "<stdin>"; `joint`:
    what stands before the reason."""

    def __init__(self, what: str, place: str, reason: str, joint: str = ": ") -> None:
        super().__init__(what, place, reason, joint)  # what it takes to be made anew in another process
        self.what, self.place, self.reason, self.joint = what, place, reason, joint

    def __str__(self) -> str:
        return f"{self.what} {self.place}{self.joint}{self.reason}".lstrip()


class AskError(KairosError):
    """The question makes no sense; the message says what is wrong with it."""


class ChangedError(KairosError):
    """Somebody has changed what the answer was about, so it has to be asked again."""


class InvalidRulesError(KairosError):
    """The rules in `folder` have errors. `findings`: all that lint says, warnings as well."""

    def __init__(self, folder: str, findings: Sequence[Finding]) -> None:
        super().__init__(folder, findings)
        self.folder, self.findings = folder, tuple(findings)

    def __str__(self) -> str:
        return "\n".join([f"the rules in {self.folder} have errors", *(f"  {finding}" for finding in self.findings)])


def reason_of(error: Exception) -> str:
    """What the system says, without number and path: "no such file or directory"."""
    return str(getattr(error, "strerror", None) or error).lower()
