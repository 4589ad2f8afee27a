"""The content of messages: templates of the newest release in the rule store."""

from __future__ import annotations

import asyncio
import logging

from kairos.adapters.channels.channel import Message
from kairos.adapters.content import Renderer
from kairos.adapters.rule_store import BrokenReleaseError, RuleStore, RuleStoreError
from kairos.engine.effect import Delivery
from kairos.engine.rule.release import Release

log = logging.getLogger(__name__)


class Templates:
    """`refresh` before the first `message`; `number` is the release in use, 0: none so far."""

    def __init__(self, store: RuleStore) -> None:
        self._store = store
        self._renderer = Renderer({})
        self.number = 0
        self._told = ""
        self._looking = asyncio.Lock()

    def message(self, delivery: Delivery, key: str) -> Message:
        """Raises ContentError."""
        content = self._renderer.render(delivery.template, delivery.channel, delivery.values)
        return Message(
            key,
            delivery.activity,
            delivery.user_id,
            delivery.occurrence,
            delivery.attempt,
            delivery.channel,
            delivery.template,
            delivery.address,
            content.headers,
            content.text,
            delivery.values,
            content.html,
        )

    async def refresh(self) -> None:
        """A store that is away, or ends with a broken release, leaves the last good one in use; it is said once."""
        async with self._looking:
            try:
                release = await asyncio.to_thread(self._store.latest, self.number)
                self._told = ""
            except BrokenReleaseError as error:
                self._tell(str(error))
                return
            except RuleStoreError as error:
                self._tell(str(error))
                return
            if release is not None:
                self._take(release)

    def _take(self, release: Release) -> None:
        rules = release.rules
        self._renderer = Renderer(rules.templates, rules.materials)
        self.number = release.number

    def _tell(self, message: str) -> None:
        if message != self._told:
            log.warning("content: %s", message)
        self._told = message
