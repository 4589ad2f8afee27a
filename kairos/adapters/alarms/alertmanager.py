"""Alertmanager, by its HTTP API v2: it groups, silences, routes, and says things once.

Who sends to it repeats what is still firing, or it takes the alarm for over after five minutes (`resolve_timeout`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from kairos.adapters.alarms.receiver import title_of
from kairos.adapters.channels.http_call import Http, Reply
from kairos.adapters.channels.options import Surroundings, checked_url
from kairos.adapters.channels.secret import Secret
from kairos.engine.alarm.spec import Change

log = logging.getLogger(__name__)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`url`: of the Alertmanager. `token`: for an `authorization: Bearer`. `labels`: on every alarm, for its routes."""

    url: str
    token: Secret | None = None
    labels: dict[str, str] = {}


class Alertmanager:
    repeats = True

    def __init__(self, options: Options, around: Surroundings, runbooks: str) -> None:
        self._url = checked_url(options.url, f"{around.place}.url") + "/api/v2/alerts"
        self._labels, self._runbooks = options.labels, runbooks
        self._headers = {"content-type": "application/json"}
        if options.token is not None:
            self._headers["authorization"] = f"Bearer {options.token.reveal()}"
        self._http = Http(around.timeout)

    async def tell(self, changes: Sequence[Change]) -> list[Change]:
        body = msgspec.json.encode([self._alert(change) for change in changes])
        reply = await self._http.call("POST", self._url, headers=self._headers, body=body)
        if isinstance(reply, Reply) and reply.status == 200:
            return list(changes)
        why = f"{reply.status} {reply.body[:200]!r}" if isinstance(reply, Reply) else reply.reason
        log.warning("Alertmanager does not take %d alarms: %s", len(changes), why)
        return []

    async def close(self) -> None:
        await self._http.close()

    def _alert(self, change: Change) -> dict[str, Any]:
        """An alarm is told by its labels, so these are the same when it is over."""
        named = {change.label: change.subject, "channel": change.channel}
        labels = {"alertname": change.alarm, "severity": change.severity, **self._labels}
        moment = datetime.fromtimestamp(change.at / 1000, UTC).isoformat(timespec="milliseconds")
        return {
            "labels": labels | {name: value for name, value in named.items() if value},
            "annotations": {
                "summary": title_of(change),
                "description": change.text,
                "runbook": f"{self._runbooks}{change.runbook}",
            },
            ("startsAt" if change.firing else "endsAt"): moment,
        }
