"""Members as one app process sees them, and its reports to the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from visavis.domain.membership import BeatWatch, Member, MemberLoad, MemberState
from visavis.domain.shared_counts import counted_elsewhere


class SharedCounter(Protocol):
    """Counts of limited uses; `elsewhere` are those of the other members, by the same keys."""

    elsewhere: Mapping[str, float]

    def busiest(self) -> Mapping[str, float]: ...


class Members:
    """Implements `services.ports.MemberWatch`.

    `load` returns the present load of this process's node, `elapsed` the monotonic time. The counts
    of the `counters` are reported to the other members.
    """

    def __init__(
        self,
        me: Member,
        load: Callable[[], MemberLoad],
        elapsed: Callable[[], float],
        counters: Sequence[SharedCounter] = (),
    ) -> None:
        self.me = me
        self._counters = counters
        self._load = load
        self._elapsed = elapsed
        self._watch = BeatWatch()
        self.state = MemberState.READY

    def drain(self) -> None:
        """Report to the others that this process is about to end."""
        self.state = MemberState.DRAINING

    def report(self) -> Member:
        counts: dict[str, float] = {}
        for counter in self._counters:
            counts |= counter.busiest()
        return replace(self.me, state=self.state, load=self._load(), counts=counts)

    def observe(self, members: Sequence[Member]) -> None:
        self._watch.observe(members, self._elapsed())
        elsewhere = counted_elsewhere(self.alive, self.me.node_id)
        for counter in self._counters:
            counter.elsewhere = elsewhere

    def forget_counts(self) -> None:
        """Forget the counts of the other members, which would not fall while nothing is heard."""
        for counter in self._counters:
            counter.elsewhere = {}

    @property
    def known(self) -> frozenset[str]:
        """Ids of the members with an app that were not stopped, silent ones included."""
        return frozenset(
            member.node_id
            for member in self._watch.members
            if "app" in member.roles and member.state is not MemberState.STOPPED
        )

    @property
    def alive(self) -> Sequence[Member]:
        """Members with an app that are alive, this process included; media nodes have none."""
        return [
            member
            for member in self._watch.members
            if "app" in member.roles and self._watch.is_alive(member.node_id)
        ]
