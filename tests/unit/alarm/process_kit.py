"""The whole process of `kairos alarms`, beside a Kafka: what the mock of librdkafka and a real one are asked alike."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kairos.adapters.settings.kafka import KafkaAddress
from tests.unit.warehouse.warehouse_kit import receipt


def command(folder: Path, kafka: KafkaAddress) -> list[str]:
    """It tells into `told.jsonl`, and knows by `said.json` what it has told."""
    rules, conf = folder / "rules", folder / "conf.yaml"
    rules.mkdir()
    (rules / "policy.yaml").write_text("timezone: UTC\n")
    (rules / "alarms.yaml").write_text("send_to: [oncall]\n")
    settings = {
        "kafka": {"bootstrap": kafka.bootstrap, "prefix": kafka.prefix},
        "rules": {"store": str(rules)},
        "alarms": {
            "receivers": {"oncall": {"provider": "file", "path": str(folder / "told.jsonl")}},
            "lag": "1s",
            "state": str(folder / "said.json"),
        },
    }
    conf.write_text(json.dumps(settings))
    return [str(Path(sys.executable).with_name("kairos")), "alarms", "--conf", str(conf), "--rules", str(rules)]


def says_that_five_per_cent_fail(
    folder: Path, kafka: KafkaAddress, send: Callable[[list[dict[str, Any]], int], None]
) -> None:
    """Within two minutes. `send`: receipts, at a time (epoch ms)."""
    told = folder / "told.jsonl"
    with subprocess.Popen(command(folder, kafka), stdout=subprocess.PIPE, text=True) as process:
        began = time.monotonic()
        try:
            while not (told.exists() and told.read_text()):
                assert process.poll() is None
                assert time.monotonic() - began < 120, "not within two minutes"
                now = time.time_ns() // 1_000_000
                send(_receipts(now), now)
                time.sleep(1)  # a hundred messages a second
        finally:
            process.send_signal(signal.SIGTERM)
            printed = process.communicate(timeout=60)[0]
    assert process.returncode == 0
    (message,) = [json.loads(line) for line in told.read_text().splitlines()]
    values = message["values"]
    assert (values["alarm"], values["subject"], values["channel"]) == ("DeliveryFailing", "hello", "sms")
    assert values["runbook"] == "docs/runbooks/DeliveryFailing.md"
    assert "DeliveryFailing: hello by sms  messages failed: 5.0% of " in printed


def _receipts(at: int) -> list[dict[str, Any]]:
    """Of twenty one has failed."""
    return [
        receipt(at, f"u{n}", occurrence=f"{at}-{n}", status="failed" if n % 20 == 0 else "sent") for n in range(100)
    ]
