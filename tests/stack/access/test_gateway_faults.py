"""Gateway and Kafka killed hard in the middle of traffic: what was acknowledged is in Kafka, and the rest comes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from kairos.apps.stack import Stack
from kairos.engine.rule.model import EventSchema
from tests.access.gateway.gateway_process import eventually, read_all, running
from tests.access.gateway.traffic import Traffic, check_nothing_acknowledged_is_missing

pytestmark = [pytest.mark.stack, pytest.mark.slow]


def test_the_gateway_is_killed(stack: Stack, tmp_path: Path) -> None:
    with running(tmp_path, stack.settings.kafka) as gateway:
        source = gateway.source({"view": EventSchema({})})
        traffic = Traffic(gateway, source)
        try:
            for _ in range(3):
                traffic.until_more()
                gateway.kill()
                gateway.start()
            traffic.until_more()
        finally:
            traffic.stop()
        check_nothing_acknowledged_is_missing(gateway, source, traffic)


def test_kafka_is_killed(own_stack: Callable[..., Stack], tmp_path: Path) -> None:
    stack = own_stack("kafka")
    with running(tmp_path, stack.settings.kafka, arguments=["--heartbeat"]) as gateway:
        source = gateway.source({"view": EventSchema({})})
        traffic = Traffic(gateway, source)
        try:
            traffic.until_more()
            stack.kill("kafka")
            traffic.until_refused()
            assert httpx.get(f"{gateway.url}/ready", timeout=60).status_code == 503
            stack.up(["kafka"])
            traffic.until_more()
        finally:
            traffic.stop()
        check_nothing_acknowledged_is_missing(gateway, source, traffic)
        assert httpx.get(f"{gateway.url}/ready", timeout=60).status_code == 200
        beats = read_all(stack.settings.kafka, f"events.{source}", keyless=True)
        eventually(lambda: len(read_all(stack.settings.kafka, f"events.{source}", keyless=True)) > len(beats))
