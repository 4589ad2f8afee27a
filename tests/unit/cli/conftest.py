"""The rule folder of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.cli_kit import EXAMPLES, SOURCES, TEMPLATE, UNPAID


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a data folder of its own: a warehouse of somebody's last run would have its say in `kairos publish`."""
    monkeypatch.setenv("KAIROS_DATA", str(tmp_path / "data"))
    folder = tmp_path / "rules"
    (folder / "activities" / "orders").mkdir(parents=True)
    (folder / "templates").mkdir()
    (folder / "sources.yaml").write_text(SOURCES)
    (folder / "policy.yaml").write_text("timezone: UTC\n")
    (folder / "templates" / "unpaid.sms.liquid").write_text(TEMPLATE)
    (folder / "activities/orders/order_unpaid.yaml").write_text(UNPAID)
    (folder / "activities/orders/order_unpaid.test.yaml").write_text(EXAMPLES)
    return folder
