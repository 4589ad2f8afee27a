"""What pages share, made before the first of them is asked for: whoever comes first does not wait for it."""

from __future__ import annotations

import logging
from collections.abc import Callable

from kairos.apps.api.looking import loaded
from kairos.apps.console.measured import arrivals_of, lately_of
from kairos.apps.console.screen import ConsoleParts
from kairos.apps.console.screens.crowds import built_of, crowd_places
from kairos.apps.console.screens.measure import offered_of
from kairos.errors import KairosError
from kairos.usecases.control.activities import rules_of, versions_of
from kairos.usecases.rules import plans
from kairos.usecases.rules.kept import lent

log = logging.getLogger(__name__)


def make_ready(parts: ConsoleParts) -> None:
    """Asks nothing but the rules, the plans and the warehouse, and changes nothing. What cannot be told now is said by
    the pages that would tell it."""
    for ask in _ASKED:
        try:
            ask(parts)
        except KairosError as error:
            log.info("not made ready: %s", error)
        except Exception:  # the pages have their own way to say it
            log.exception("not made ready")


def _rules(parts: ConsoleParts) -> None:
    rules = rules_of(parts.store)
    versions_of(rules)
    with lent(rules):
        pass


def _plans(parts: ConsoleParts) -> None:
    plans.entries(plans.library(parts.plans), plans.folder_rules(parts.rules))


_ASKED: tuple[Callable[[ConsoleParts], object], ...] = (
    _rules,
    loaded,
    _plans,
    lately_of,
    arrivals_of,
    lambda parts: offered_of(parts, rules_of(parts.store)),
    lambda parts: built_of(parts, crowd_places(parts)),
)
