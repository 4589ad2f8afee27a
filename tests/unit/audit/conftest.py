"""A story that goes well, for each test."""

from __future__ import annotations

import pytest

from tests.unit.audit.story import Story


@pytest.fixture
def story() -> Story:
    return Story()
