"""Members: the nodes that share a database, and which of them are alive."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

SILENCE_SECONDS: Final = 2.5
"""Time without a beat after which a member is not alive."""
MAX_STEP_SECONDS: Final = 1.25
"""Time that one observation can add to a member's silence.

A reader that was frozen itself could not see the beats, and must not consider the others dead.
"""


def app_member_id(node_id: str, number: int) -> str:
    """Return the id of an app process of a node as a member; the first one has the node's id."""
    return f"{node_id}:{number}" if number else node_id


def node_of_member(member_id: str) -> str:
    """Return the id of the node to which a member belongs."""
    return member_id.partition(":")[0]


class MemberState(StrEnum):
    """State of a member.

    A member that is drained takes no new calls. It is draining as long as it has something that
    other nodes are to take over.
    """

    READY = "ready"
    DRAINING = "draining"
    DRAINED = "drained"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class MemberLoad:
    """Load of a member's node: calls and open pages; connected media workers and their bridges."""

    calls: int = 0
    pages: int = 0
    media_workers: int = 0
    bridges: int = 0


NO_LOAD: Final = MemberLoad()


@dataclass(frozen=True, slots=True)
class Member:
    """An app process of a node, or the recorder of a media node.

    `node_id` is an id of its own (`app_member_id`) if the node has several app processes. `boot`
    identifies this start of it, and `beat` rises once a second. `machine` is the name of its host,
    and `url` the one at which browsers reach it. `counts` are its busiest counts of limited uses
    (`domain.shared_counts`).
    """

    node_id: str
    boot: str
    started_at: datetime
    version: str
    machine: str
    url: str
    roles: tuple[str, ...]
    state: MemberState = MemberState.READY
    load: MemberLoad = NO_LOAD
    beat: int = 0
    counts: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Observed:
    member: Member
    silent_seconds: float = 0.0
    has_moved: bool = False


class BeatWatch:
    """Watches the beats of members by the reader's own monotonic clock.

    Clocks of other machines are never compared. A member that is seen for the first time counts as
    alive until it has been silent for `SILENCE_SECONDS`.
    """

    def __init__(self) -> None:
        self._observed: dict[str, _Observed] = {}
        self._observed_at: float | None = None

    def observe(self, members: Iterable[Member], now: float) -> None:
        """Evaluate the members that were read at this monotonic time."""
        step = 0.0
        if self._observed_at is not None:
            step = min(now - self._observed_at, MAX_STEP_SECONDS)
        self._observed_at = now
        self._observed = {member.node_id: self._next(member, step) for member in members}

    def _next(self, member: Member, step: float) -> _Observed:
        known = self._observed.get(member.node_id)
        if known is None:
            return _Observed(member)
        if (known.member.boot, known.member.beat) != (member.boot, member.beat):
            return _Observed(member, has_moved=True)
        return _Observed(member, known.silent_seconds + step, known.has_moved)

    @property
    def members(self) -> Sequence[Member]:
        """All members in the database, in the order of their ids."""
        return [self._observed[node_id].member for node_id in sorted(self._observed)]

    def is_alive(self, node_id: str) -> bool:
        """Whether the member's beat was seen to rise within `SILENCE_SECONDS`.

        A member that has been stopped is not alive.
        """
        observed = self._observed.get(node_id)
        if observed is None or observed.member.state is MemberState.STOPPED:
            return False
        return observed.silent_seconds < SILENCE_SECONDS

    @property
    def is_decided(self) -> bool:
        """Whether each member is known to be alive or silent."""
        return all(
            one.has_moved or not self.is_alive(node_id) for node_id, one in self._observed.items()
        )
