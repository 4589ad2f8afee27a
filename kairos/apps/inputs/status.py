"""Where a process tells of itself."""

from __future__ import annotations

from typing import Annotated

import typer

Status = Annotated[
    str | None,
    typer.Option(
        envvar="KAIROS_STATUS",
        show_default=False,
        metavar="HOST:PORT",
        help="Serve /metrics, /live and /ready there (docs/metrics.md); default: nowhere.",
    ),
]
