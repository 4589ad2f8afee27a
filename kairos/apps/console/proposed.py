"""What publishing the rule folder would do, as its screens ask for it."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

import msgspec

from kairos.apps.api.looking import loaded
from kairos.apps.console.screen import ConsoleParts
from kairos.usecases.control.files import valid
from kairos.usecases.control.forecast import Forecast, backtest_of, forecast_of
from kairos.usecases.rules import draft
from kairos.usecases.rules.publish import Proposal, propose, standing
from kairos.usecases.rules.release_backtest import ReleaseBacktest


def proposal_of(parts: ConsoleParts, now: int) -> tuple[Proposal, dict[str, bytes]]:
    """With the files of the folder. Raises InvalidRulesError, AskError, NotThereError, RuleStoreError."""
    files = draft.folder_files(parts.rules)
    rules, _ = valid(files, now)
    return propose(standing(parts.store), rules, now, accept_cold=True), files


def would_have_done(parts: ConsoleParts, proposal: Proposal) -> ReleaseBacktest | None:
    """Kept until the warehouse has other files. None: there is nothing to compare. Raises WarehouseError."""
    warehouse = _history(parts)
    if warehouse is None or proposal.previous is None or proposal.change.empty:
        return None
    measures = loaded(parts).measures
    return parts.answers.get(
        warehouse, _question(proposal), lambda: backtest_of(proposal, warehouse, parts.store, measures)
    )


def forecast(parts: ConsoleParts, proposal: Proposal) -> Forecast:
    return forecast_of(lambda: would_have_done(parts, proposal))


def would_have_done_is_known(parts: ConsoleParts, proposal: Proposal) -> bool:
    warehouse = _history(parts)
    return warehouse is None or parts.answers.known(warehouse, _question(proposal))


def _history(parts: ConsoleParts) -> Path | None:
    return parts.warehouse if parts.warehouse is not None and parts.warehouse.is_dir() else None


def _question(proposal: Proposal) -> Hashable:
    before = proposal.previous.number if proposal.previous is not None else 0
    return ("compared", before, hash(msgspec.json.encode(proposal.after, order="deterministic")))
