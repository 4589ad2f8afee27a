"""What goes wrong for a while fills no log."""

from __future__ import annotations

import logging

import pytest

from kairos.apps.logs import Trouble


def test_it_is_logged_once_and_again_when_it_is_another_or_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble(logging.getLogger("kairos"), "rules: %s")
    for each in ("away", "away", "broken 100 %", "broken 100 %", "away"):
        trouble.comes(ValueError(each))
    assert trouble.goes()
    assert not trouble.goes()
    trouble.comes("away")
    assert caplog.messages == [f"rules: {each}" for each in ("away", "broken 100 %", "away", "away")]
