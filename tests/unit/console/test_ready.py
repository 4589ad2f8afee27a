"""What is made before the port is opened."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from kairos.adapters.settings.api import ApiSettings, Rules, Warehouse
from kairos.apps.api.endpoint import Parts
from kairos.apps.api.process import made_of
from kairos.apps.console import measured
from kairos.apps.console.answers import Answers
from kairos.apps.console.measured import arrivals_of, lately_of
from kairos.apps.console.pages import Pages
from kairos.apps.console.ready import make_ready
from kairos.apps.console.screen import ConsoleParts
from kairos.apps.console.screens.measure import offered_of
from kairos.usecases.control.activities import rules_of
from tests.unit.console.world import NOW, shop


def parts_of(settings: ApiSettings) -> ConsoleParts:
    made = made_of(settings, lambda: NOW).parts
    return ConsoleParts(**{each.name: getattr(made, each.name) for each in fields(Parts)}, answers=Answers())


def test_who_comes_first_does_not_ask_the_warehouse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = parts_of(shop(tmp_path))
    make_ready(parts)
    monkeypatch.setattr(measured, "open_engine", lambda _folder: pytest.fail("asked again"))
    assert lately_of(parts).of["cart_left"].lost is not None
    assert arrivals_of(parts).as_of is not None
    assert "again" in offered_of(parts, rules_of(parts.store)).names


def test_what_cannot_be_told_stops_nothing(tmp_path: Path) -> None:
    settings = shop(tmp_path)
    nowhere = f"sqlite:///{tmp_path}/run/none/../../rules"  # a folder is no database
    for broken in (
        ApiSettings(settings.api, settings.rules, Warehouse(str(tmp_path / "none")), settings.place),
        ApiSettings(settings.api, Rules(nowhere), settings.warehouse, settings.place),
        ApiSettings(settings.api, settings.rules, settings.warehouse, str(tmp_path / "none.yaml")),
    ):
        make_ready(parts_of(broken))


def test_every_template_can_be_read() -> None:
    Pages().make_ready()
