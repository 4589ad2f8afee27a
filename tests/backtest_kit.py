"""The clickstream in a warehouse, two sets of rules, and what `kairos compare` says of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from kairos.adapters.rules.side import NamedRules, named_rules
from kairos.apps.cli import app
from kairos.apps.native.settings import data_folder
from kairos.usecases.operation.dataset.clickstream import prepare as prepare_data
from kairos.usecases.rules import backtest
from kairos.usecases.rules.backtest import gather, prepare, results_in, used_up, write
from kairos.usecases.rules.compare import Compared, History, compare_rules

MORE = {"activities.third_purchase_30d.limits.budget.sends": "1000"}
"""A budget that suffices: else all users are played together, and nothing is left to be done in parallel."""
CAP = {"policy.caps.marketing.rules.0.max": "1"}
SPAN = 4_000
"""Events of a task: so few that there are several."""


class Clickstream:
    """`warehouse`: its folder. `a`, `b`: the example rules, and those with a smaller cap."""

    def __init__(self, folder: Path) -> None:
        given = prepare_data(data_folder() / "data")
        self.events, self.profiles = given.events, given.profiles
        self.warehouse = folder / "warehouse"
        self.a: NamedRules = named_rules("rules", None, MORE)
        self.b: NamedRules = named_rules("rules", None, MORE | CAP)
        files = ["--events", str(given.events), "--profiles", str(given.profiles)]
        load = ["warehouse", "load", "--into", str(self.warehouse), "--rules", "rules", *files]
        done = CliRunner().invoke(app, load)
        assert done.exit_code == 0, done.output
        self.compared: Compared = compare_rules(self.a, self.b, History(given.events, given.profiles))

    def check(self, folder: Path, run: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch) -> None:
        """`run` plays what stands in the folder; record for record it says what `compare` has said."""
        monkeypatch.setattr(backtest, "SPAN", SPAN)
        task, spans = prepare(self.a.rules, self.b.rules, self.warehouse, None, None)
        assert len(spans) > 4
        write(folder, task, spans)
        run(folder)
        results = results_in(folder)
        assert used_up(task, results) == []
        found = gather(task, results)
        assert found.coverage.events == self.compared.coverage.events
        assert msgspec.json.encode(found.comparison) == msgspec.json.encode(self.compared.comparison)
        assert found.comparison.differences
