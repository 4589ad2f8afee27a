"""The life of one delivery, from the mailbox to a final row in the ledger."""

from __future__ import annotations

import logging
import time

import msgspec

from kairos.adapters.channels.channel import Accepted, Message, Outcome, Refused
from kairos.adapters.delivery.ledger import REOPENED, Call, Change, Row
from kairos.adapters.metrics.declared import PROVIDER, RETRIES
from kairos.apps.delivery.failpoint import reach
from kairos.apps.delivery.outcome import MOST_TEXT, After, after_call, not_called, still_open, storable
from kairos.apps.delivery.pace.wake import Wake
from kairos.apps.delivery.tools import Tools
from kairos.apps.delivery.verdict import End, Go, Known, Verdict, Wait, ended, reservation, verdict
from kairos.engine.effect import Delivery
from kairos.engine.rule.content.rendering import ContentError

CONSENT = "consent"
"""Reason of a row that was recalled because its reader has left the topic."""

LOOK_AGAIN = 2_000
"""How often (ms) the row of another worker is looked at."""

log = logging.getLogger(__name__)


class Sending:
    """`run` once. Nobody else in this process has the same key in hand meanwhile."""

    def __init__(self, tools: Tools, delivery: Delivery, key: str, wake: Wake) -> None:
        self._tools, self._delivery, self._key, self._wake = tools, delivery, key, wake
        self._clock = tools.clock_at(max(delivery.at, delivery.not_before))
        self._row: Row | None = None
        self._ended_before = True
        self._tries: int | None = None
        self._mended = False
        self._maybe_taken = False
        self._earliest = 0

    async def run(self) -> Row | None:
        """The final row; None: given back, nothing is under way."""
        while not isinstance(step := self._verdict(), Known):
            if self._wake.given_back:
                return None
            if isinstance(step, Wait):
                await self._wait(step)
            elif isinstance(step, End):
                await self._end(step)
            else:
                await self._try()
        return self._row

    @property
    def repeated(self) -> bool:
        """Whether its end was in the ledger already, so that this life has only found it."""
        return self._ended_before

    def _verdict(self) -> Verdict:
        policy, recalled = self._tools.policy, self._wake.recalled
        now, worker = self._clock.now(), self._tools.worker
        stopped = self._tools.stopped.state(self._delivery.activity)
        return verdict(
            self._row,
            self._delivery,
            worker,
            now,
            self._earliest,
            recalled=recalled,
            resend=policy.resend,
            stopped=stopped,
        )

    async def _wait(self, step: Wait) -> None:
        ms = step.until - self._clock.now()
        await self._wake.sleep(self._clock, min(ms, LOOK_AGAIN) if step.other else ms)
        if step.other and self._row is not None and not self._wake.given_back:
            self._row = await self._tools.ledger.do(Change(self._row, self._row))

    async def _end(self, end: End) -> None:
        row = ended(self._row, self._delivery, self._key, self._tools.worker, self._clock.now(), end)
        self._row = await self._tools.ledger.do(Change(self._row, row))
        self._ended_before = self._row != row

    async def _try(self) -> None:
        """Its turn may come late, or never: then it is judged again."""
        gate = self._tools.gate
        if not await gate.enter(self._wake, self._delivery.send_before):
            return
        try:
            if self._wake.given_back or not isinstance(self._verdict(), Go) or await self._refused():
                return
            after = await self._call()
        finally:
            gate.leave()
        if after is not None:
            await self._settle(after)

    async def _refused(self) -> bool:
        """Whether the reader has left the topic since it was decided: then nothing goes any more, on no channel."""
        topic = self._delivery.topic
        if topic is None or not await self._tools.lists.refuses(self._delivery.user_id, topic):
            return False
        maybe_taken = self._row is not None and self._row.state == "reserved"
        await self._end(End("unknown" if maybe_taken else "recalled", CONSENT))
        return True

    async def _call(self) -> After | None:
        """None: the row is another's, or there was nothing to call."""
        message = await self._message()
        reserved = await self._reserve() if message is not None else None
        if message is None or reserved is None:
            return None
        reach("after_reserve")
        row, call = reserved
        if (reason := self._hindrance(row)) is not None:
            return not_called(row, call, maybe_taken=self._maybe_taken, reason=reason, now=self._clock.now())
        outcome = await self._provider(message)
        reach("before_settle")
        self._tries = (self._tries or 0) + 1
        tools = self._tools
        after = after_call(
            row,
            call,
            outcome,
            maybe_taken=self._maybe_taken,
            tries=self._tries,
            policy=tools.policy,
            now=self._clock.now(),
            chance=tools.chance,
        )
        return self._agreed(after, outcome)

    async def _provider(self, message: Message) -> Outcome:
        begun, called = time.perf_counter(), self._tools.clock.now()
        outcome = await self._tools.provider.send(message)
        self._tools.metrics.took(PROVIDER, time.perf_counter() - begun, channel=self._tools.channel)
        answer = type(outcome).__name__.lower()
        self._tools.traces.called(self._delivery, called, self._tools.clock.now(), answer)
        return outcome

    def _agreed(self, after: After, outcome: Outcome) -> After:
        """What one address refuses is its own affair, unless others refuse too: then this message waits for a mend."""
        agreement = self._tools.agreement
        if isinstance(outcome, Accepted):
            agreement.taken()
        if not isinstance(outcome, Refused):
            return after
        wrong = agreement.refused(self._delivery.address or self._delivery.user_id, outcome.reason)
        if wrong is None:
            return after
        row = still_open(after.row, self._maybe_taken, after.call.reason, self._clock.now())
        return msgspec.structs.replace(after, row=row, again_at=None, mend=wrong)

    def _hindrance(self, row: Row) -> str | None:
        """Why the call may not be made after all: reserving takes time, in which its reason may have gone."""
        now = self._clock.now()
        if now + self._tools.policy.timeout > row.lease_until:
            log.warning("%s: the ledger answers too slowly; %s is tried again", self._tools.channel, self._key)
            return "reserved too slowly"
        if now > self._delivery.send_before:
            return "reserved after its time"
        if (stopped := self._tools.stopped.state(self._delivery.activity)) is not None:
            return f"{stopped} while it was reserved"
        return "recalled while it was reserved" if self._wake.recalled else None

    async def _message(self) -> Message | None:
        """Renders the message. Where its template is newer than the release that is known here, the store is asked
        once."""
        try:
            return self._tools.content.message(self._delivery, self._key)
        except ContentError:
            await self._tools.content.refresh()
        try:
            return self._tools.content.message(self._delivery, self._key)
        except ContentError as error:
            maybe_taken = self._row is not None and self._row.state == "reserved"
            await self._end(End("unknown" if maybe_taken else "failed", storable(f"content: {error}", MOST_TEXT)))
            return None

    async def _reserve(self) -> tuple[Row, Call] | None:
        policy, before = self._tools.policy, self._row
        now, lease = self._clock.now(), policy.timeout + policy.lease
        row, call = reservation(before, self._delivery, self._key, self._tools.worker, now, lease)
        if self._mended:  # a new start: what was wrong was the channel
            row = msgspec.structs.replace(row, reserved_at=now)
        self._row = await self._tools.ledger.do(Change(before, row, call))
        if self._row != row:
            return None
        self._mended = False
        self._maybe_taken = before is not None and before.state == "reserved"
        if self._tries is None:
            reopened = before is not None and before.reason == REOPENED
            self._tries = 0 if reopened else row.calls - 1  # calls before this life count
        return row, call

    async def _settle(self, after: After) -> None:
        """Writes the final row. One that somebody has deleted meanwhile is written anew, so that what was sent stays
        known."""
        tools = self._tools
        present = await tools.ledger.do(Change(self._row, after.row, after.call))
        if present is None:
            present = await tools.ledger.do(Change(None, after.row))
        self._row, self._ended_before = present, present != after.row
        if after.again_at is not None:
            self._earliest = after.again_at
            tools.metrics.add(RETRIES, channel=tools.channel)
        if after.mend is not None:
            self._tries, self._mended = 0, True
            tools.gate.pause()
            await tools.pauses.pause(tools.channel, after.mend)
