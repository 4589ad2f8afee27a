"""What a use case cannot do, told to whoever gave the command."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from kairos.apps.view.findings import show_findings, summary
from kairos.apps.view.terminal import escape, escape_lines, fail, quote, say
from kairos.errors import KairosError
from kairos.usecases.errors import InputError, InvalidRulesError


@contextmanager
def told() -> Iterator[None]:
    """A KairosError from within is told on standard error, and ends the command with 2."""
    try:
        yield
    except InvalidRulesError as error:
        show_findings(Path(error.folder), error.findings, sys.stderr)
        say(summary(error.findings))
        raise typer.Exit(2) from None
    except InputError as error:
        fail(f"{error.what} {escape(error.place)}{error.joint}{quote(error.reason)}".lstrip())
    except KairosError as error:
        fail(escape_lines(str(error)))
