"""The rule folder of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_kit import EXAMPLES, SOURCES, TEMPLATE, UNPAID


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    (folder / "activities" / "orders").mkdir(parents=True)
    (folder / "templates").mkdir()
    (folder / "sources.yaml").write_text(SOURCES)
    (folder / "templates" / "unpaid.sms.liquid").write_text(TEMPLATE)
    (folder / "activities/orders/order_unpaid.yaml").write_text(UNPAID)
    (folder / "activities/orders/order_unpaid.test.yaml").write_text(EXAMPLES)
    return folder
