"""Feed of every console of a site: the team, the queue, the visitors, changes of past calls.

Each of these is sent at most once a second, in one message for all consoles of the site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from visavis.protocol import signaling
from visavis.services.calls.effects import Scheduler
from visavis.services.ports import Bus, Clock
from visavis.services.topics import consoles_topic

EVERY_SECONDS: Final = 1.0
SOON_SECONDS: Final = 0.05
MAX_LISTED: Final = 100


class ConsoleFeed:
    """Sends what has changed since it was last sent.

    `messages` returns the present state of everything, nothing while no console is open.
    `revision` is another number after each change of the past calls.
    """

    def __init__(
        self,
        site_id: int,
        bus: Bus,
        clock: Clock,
        schedule: Scheduler,
        messages: Callable[[], Iterable[signaling.ToAgent]],
    ) -> None:
        self.revision = 0
        self._site_id = site_id
        self._bus = bus
        self._now = clock
        self._schedule = schedule
        self._messages = messages
        self._sent: dict[type, signaling.ToAgent] = {}
        self._sent_at: datetime | None = None
        self._is_due = False

    def schedule_update(self) -> None:
        """Send the consoles what has changed, within a second."""
        if self._is_due:
            return
        self._is_due = True
        wait = SOON_SECONDS
        if self._sent_at:
            elapsed = (self._now() - self._sent_at).total_seconds()
            wait = max(SOON_SECONDS, EVERY_SECONDS - max(0.0, elapsed))
        self._schedule(wait, self._send_changes)

    def past_calls_changed(self) -> None:
        self.revision += 1
        self.schedule_update()

    def _send_changes(self) -> None:
        self._is_due = False
        messages = list(self._messages())
        if not messages:  # nobody is there to read them
            self._sent.clear()
            self._sent_at = None
            return
        self._sent_at = self._now()
        for message in messages:
            if self._sent.get(type(message)) != message:
                self._sent[type(message)] = message
                self._bus.publish(consoles_topic(self._site_id), message)
