"""The demonstration of an unpaid order, as `make demo-order-sms` runs it; it checks itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from kairos.apps.native.settings import data_folder
from tests.faults.test_demo_fallback import kairos

pytestmark = [pytest.mark.flink, pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(600)]

RULES = Path("demos/order-sms/rules")


def test_who_has_not_paid_gets_one_text_message_by_name(tmp_path: Path) -> None:
    (tmp_path / "jars").symlink_to(data_folder() / "jars")
    done = kairos(tmp_path, "demo", "order-sms", "--within", "6s")
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout.splitlines()
    (text,) = [line for line in told if " taken " in line]
    assert text.endswith("+8613800000001: Anna Lind, your order o-2 of 59.9 is waiting for its payment.")
    said = [line for line in told if " message " in line or " event " in line]
    assert [sum(f" {user} " in line for line in said) for user in ("anna", "ben")] == [4, 4]
    assert told[-1] == "as it should be"
    assert "kairos audit" not in told, "copied, it would tell of another run"
    assert f"its rule, tried without servers: kairos test {RULES}" in told


def test_its_rules_have_no_findings_and_their_examples_pass(tmp_path: Path) -> None:
    assert kairos(tmp_path, "lint", str(RULES)).returncode == 0
    assert kairos(tmp_path, "test", str(RULES)).returncode == 0


def test_it_says_what_it_needs(tmp_path: Path) -> None:
    wrong = kairos(tmp_path, "demo", "order-sms", "--within", "soon")
    assert (wrong.returncode, "--within soon" in wrong.stderr) == (2, True)
