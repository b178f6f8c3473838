"""Members as one app process sees them, and what it tells the others about itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from visavis.domain.membership import BeatWatch, Member, MemberLoad, MemberState


class Members:
    """Implements `services.ports.MemberWatch`.

    `load` returns the present load of this process's node, `elapsed` the monotonic time.
    """

    def __init__(
        self, me: Member, load: Callable[[], MemberLoad], elapsed: Callable[[], float]
    ) -> None:
        self.me = me
        self._load = load
        self._elapsed = elapsed
        self._watch = BeatWatch()
        self._state = MemberState.READY

    def drain(self) -> None:
        """Tell the others that this process is about to end."""
        self._state = MemberState.DRAINING

    def report(self) -> Member:
        return replace(self.me, state=self._state, load=self._load())

    def observe(self, members: Sequence[Member]) -> None:
        self._watch.observe(members, self._elapsed())

    @property
    def alive(self) -> Sequence[Member]:
        """Members whose beat moves, this process included."""
        return [member for member in self._watch.members if self._watch.is_alive(member.node_id)]
