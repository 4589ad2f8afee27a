"""Checkpoints and savepoints as files: finding the newest, refusing one that this job could not read."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from jobs.checks import StartError
from jobs.settings import Settings, uri

MODES = ("thread", "process")
METADATA = "_metadata"


def evaluate_uid(mode: str) -> str:
    """The uid of the operator that holds the users' state. State written in one execution mode comes back empty in the
    other, without a word; so each mode has its own operator, and Flink and we refuse the other's state."""
    return f"evaluate-{mode}"


def restore_path(settings: Settings, wanted: str) -> str:
    """`latest`, a path or a URI -> the URI to resume from. Raises StartError."""
    if wanted == "latest":
        return newest_checkpoint(settings).as_uri()
    folder = local_path(uri(wanted))
    if folder is not None:
        check_snapshot(folder, settings.job.mode)
    return uri(wanted)


def newest_checkpoint(settings: Settings) -> Path:
    """The newest complete checkpoint of whatever run. Raises StartError."""
    root = local_path(uri(settings.state.checkpoints or ""))
    if root is None:
        raise StartError("--from latest: the checkpoints are not on this machine's disk; please give the path")
    complete = sorted(root.glob(f"*/chk-*/{METADATA}"), key=lambda file: file.stat().st_mtime)
    if not complete:
        raise StartError(f"--from latest: there is no complete checkpoint in {root}")
    check_snapshot(complete[-1].parent, settings.job.mode)
    return complete[-1].parent


def check_snapshot(folder: Path, mode: str) -> None:
    """Refuses a missing snapshot and one of the other execution mode. Raises StartError."""
    file = folder / METADATA if folder.is_dir() else folder
    try:
        content = file.read_bytes()
    except OSError as error:
        raise StartError(f"cannot resume from {folder}: {error.strerror}") from None
    for other in MODES:
        if other != mode and evaluate_uid(other).encode() in content:
            raise StartError(
                f"cannot resume from {folder}: it was written in {other} mode and this job runs in {mode} mode, which "
                f"would start with empty state. Set job.mode to {other}, or start without --from"
            )


def local_path(address: str) -> Path | None:
    parts = urlsplit(address)
    return Path(unquote(parts.path)) if parts.scheme in ("", "file") else None
