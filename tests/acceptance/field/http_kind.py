"""Cases of kind `http`: requests to a gateway without servers, whose clock the case sets."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from kairos.adapters.sources.port import Access, Entry, key_hash
from kairos.adapters.sources.text import read_sources
from tests.access.gateway.gateway_kit import Kit


def play(case: dict[str, Any]) -> dict[str, Any]:
    sources = read_sources(Path(case["sources"]).read_bytes(), case["sources"])
    kit = Kit(*(Entry(source, Access((key_hash(f"{name}-key"),))) for name, source in sources.items()))
    start = round(datetime.fromisoformat(case["clock"]).timestamp() * 1000)
    responses = []
    for request in case["requests"]:
        kit.now = start + round(1000 * request.get("at_s", 0))
        responses.append(_answer(kit, request))
    events = [json.loads(record.value) for record in kit.producer.records if record.topic.startswith("events.")]
    return {"responses": responses, "events": events}


def _answer(kit: Kit, request: dict[str, Any]) -> dict[str, Any]:
    body = request["body_text"].encode() if "body_text" in request else request["body"]
    key = f"{request['key_of']}-key" if "key_of" in request else None
    headers = {"Content-Type": "application/json", **request.get("headers", {})}
    answer = kit.post(body, request["path"], key, headers)
    return {"status": answer.status_code, "results": answer.json().get("results", [])}
