"""Messages that visitors leave after a missed call, or while no agent is on duty."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from visavis.domain.call import CallRecord, CallTrigger
from visavis.domain.errors import ErrorCode, ErrorKind, VisavisError
from visavis.domain.people import Visitor
from visavis.domain.site_settings import SiteSettings
from visavis.domain.text import clean_line, clean_text
from visavis.protocol import signaling
from visavis.services.calls.call_log import CallLogWriter
from visavis.services.ports import Clock, Store, Transaction
from visavis.services.secrets import digest


class MissedCallMessages:
    def __init__(
        self,
        store: Store,
        call_log: CallLogWriter,
        clock: Clock,
        settings_of: Callable[[int], Awaitable[SiteSettings]],
    ) -> None:
        self._store = store
        self._call_log = call_log
        self._now = clock
        self._settings_of = settings_of

    async def leave(self, visitor: Visitor, message: signaling.LeaveMessage) -> None:
        """Store a message with a missed call.

        Raises `CallNotPossible` if an agent accepted the call or it has another message.
        """
        text = clean_text(message.text)
        name, email = clean_line(message.name), clean_line(message.email)
        if not text:
            raise VisavisError(ErrorCode.TextEmpty)
        site_id, call_id = visitor.site_id, message.call_id
        if not call_id:
            call_id = await self._missed_call(visitor, message.id)
        await self._call_log.flush()

        def work(rows: Transaction) -> bool:
            if rows.calls.leave_message(site_id, call_id, text, name, email):
                return True
            call = rows.calls.get(site_id, call_id)
            # A page repeats its message if it got no answer.
            return call is not None and call.message == text

        if not await self._store.write(work):
            raise VisavisError(ErrorCode.MessageNotPossible)

    async def _missed_call(self, visitor: Visitor, message_id: str) -> str:
        """Create a missed call for a message without one, once per `message_id`; return its id."""
        if not message_id:
            raise VisavisError(
                ErrorKind.ParameterInvalid, "A message without a call requires an id."
            )
        if not (await self._settings_of(visitor.site_id)).config.is_enabled:
            raise VisavisError(ErrorKind.AudioVideoChatDisabled)
        call_id = digest(f"message {visitor.site_id} {message_id}").hex()[:32]
        known = await self._store.read(lambda rows: rows.calls.get(visitor.site_id, call_id))
        if known is None:
            now = self._now()
            record = CallRecord(
                id=call_id,
                site_id=visitor.site_id,
                visitor=visitor,
                media="audio",
                is_recorded=False,
                requested_at=now,
            )
            record.apply(CallTrigger.NOBODY_ON_DUTY, now)
            self._call_log.save_later(record)
        return call_id
