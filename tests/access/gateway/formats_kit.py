"""What the gateway made of a request."""

from __future__ import annotations

from typing import Any

from tests.access.gateway.gateway_kit import Kit


def sent(kit: Kit) -> list[dict[str, Any]]:
    return [record for topic in ("shop", "app") for record in kit.producer.events(f"events.{topic}")]
