"""The content of messages: templates of the newest release in the rule store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from kairos.adapters.channels.channel import Message
from kairos.adapters.delivery.unsubscribe_links import Leaving, Links
from kairos.adapters.rules.store import RuleStore, RuleStoreError
from kairos.apps.logs import Trouble
from kairos.engine.effect import Delivery
from kairos.engine.profile.zone import zone_named
from kairos.engine.rule.content.rendering import EXAMPLE_LINK, Renderer, renderer_of
from kairos.engine.rule.release import Release

log = logging.getLogger(__name__)


def example_link(_delivery: Delivery) -> str | None:
    """A made-up link, for runs on files, whose messages reach nobody."""
    return EXAMPLE_LINK


def signed_link(links: Links | None) -> Callable[[Delivery], str | None]:
    """Links of the configuration's keys, if it has any."""
    if links is None:
        return lambda _delivery: None
    return lambda delivery: links.link(Leaving(delivery.user_id, delivery.channel, delivery.topic))


class Templates:
    """`refresh` before the first `message`; `number` is the release in use, 0: none so far. `link`: of one user and
    delivery, by which she leaves; None: there is none."""

    def __init__(self, store: RuleStore, link: Callable[[Delivery], str | None] = example_link) -> None:
        self._store, self._link = store, link
        self._renderer = Renderer({})
        self.number = 0
        self._trouble = Trouble(log, "content: %s")
        self._looking = asyncio.Lock()

    def message(self, delivery: Delivery, key: str) -> Message:
        """Raises ContentError."""
        link, zone = self._link(delivery), zone_named(delivery.zone)
        content = self._renderer.render(delivery.template, delivery.channel, delivery.values, zone, link)
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
            link,
            delivery.service,
        )

    async def refresh(self) -> None:
        """A store that is away, or ends with a broken release, leaves the last good one in use; it is said once."""
        async with self._looking:
            try:
                release = await asyncio.to_thread(self._store.latest, self.number)
                self._trouble.goes()
            except RuleStoreError as error:
                self._trouble.comes(error)
                return
            if release is not None:
                self._take(release)

    def _take(self, release: Release) -> None:
        self._renderer = renderer_of(release.rules)
        self.number = release.number
