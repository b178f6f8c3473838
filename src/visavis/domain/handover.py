"""Recordings with journals on several nodes: which node does what with its own.

The first of a recording's nodes is its **home**, which makes and delivers the file. It collects the
journals of the others, which keep them until the file has been delivered. A home that is about to
end makes another node the home.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from visavis.domain.recording import UNDELIVERED, RecordingState

Journals = Mapping[str, int]
"""Journals of one node: their names on all nodes (`number-piece`), and their sizes in bytes."""


@dataclass(frozen=True, slots=True)
class RecordingShares:
    """The nodes with journals of a recording.

    `nodes` are those that are needed for its file: the home, and the others that it has not
    collected. `collected` has the journals that the home has from other nodes. `abandoned` has the
    machines without whose journals the recording is to be delivered, by their node.
    """

    id: str
    site_id: int
    state: RecordingState
    nodes: tuple[str, ...] = ()
    collected: Mapping[str, Journals] = field(default_factory=dict)
    abandoned: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_pending(self) -> bool:
        """Whether the recording may still be delivered."""
        return self.state in UNDELIVERED

    @property
    def missing(self) -> tuple[str, ...]:
        """Sentences about the nodes whose journals will not be in the file."""
        return tuple(
            f"Everything that was recorded on {machine} is missing: its journals were given up."
            for machine in self.abandoned.values()
        )


class SpoolRole(StrEnum):
    """Role of a node that has journals of a recording in its spool."""

    UNLISTED = "unlisted"  # the database does not know of these journals
    DELIVER = "deliver"  # all journals are here, so the file can be made and delivered
    COLLECT = "collect"  # the file is made here, once the other nodes' journals are here
    KEEP = "keep"  # another node makes the file and may still need these journals
    REMOVE = "remove"  # another node has delivered the file


def spool_role(shares: RecordingShares | None, node_id: str) -> SpoolRole:
    """Return the role of a node with journals of a recording; `None` is an unknown recording."""
    if shares is None:
        return SpoolRole.UNLISTED
    if shares.nodes and shares.nodes[0] == node_id:
        is_whole = len(shares.nodes) == 1 or not shares.is_pending
        return SpoolRole.DELIVER if is_whole else SpoolRole.COLLECT
    if not shares.is_pending and shares.nodes:
        return SpoolRole.REMOVE
    if node_id in shares.nodes or node_id in shares.collected:
        return SpoolRole.KEEP
    return SpoolRole.UNLISTED if shares.is_pending else SpoolRole.DELIVER


def is_removable(shares: RecordingShares, node_id: str, journals: Journals) -> bool:
    """Whether the home had all these journals of another node when it delivered the file."""
    collected = shares.collected.get(node_id, {})
    return all(collected.get(name) == size for name, size in journals.items())


def after_collection(
    shares: RecordingShares, home: str, node_id: str, journals: Journals
) -> RecordingShares | None:
    """Return the shares once the home has a node's journals; `None` if another is the home now."""
    if not shares.nodes or shares.nodes[0] != home or node_id not in shares.nodes[1:]:
        return None
    return RecordingShares(
        shares.id,
        shares.site_id,
        shares.state,
        tuple(node for node in shares.nodes if node != node_id),
        {**shares.collected, node_id: journals},
        shares.abandoned,
    )


def after_listing(shares: RecordingShares, node_id: str) -> RecordingShares:
    """Return the shares with a node that has written a further journal, or is back."""
    if node_id in shares.nodes:
        return shares
    return RecordingShares(
        shares.id,
        shares.site_id,
        shares.state,
        (*shares.nodes, node_id),
        {node: names for node, names in shares.collected.items() if node != node_id},
        {node: name for node, name in shares.abandoned.items() if node != node_id},
    )


def after_adoption(shares: RecordingShares, former: str, node_id: str) -> RecordingShares:
    """Return the shares once a node has the journals of another one in its spool.

    It takes the other's place, and is collected again if it was before.
    """
    nodes = [node_id if node == former else node for node in (*shares.nodes, node_id)]
    return RecordingShares(
        shares.id,
        shares.site_id,
        shares.state,
        tuple(dict.fromkeys(nodes)),
        {node: names for node, names in shares.collected.items() if node not in {former, node_id}},
        shares.abandoned,
    )


def after_succession(
    shares: RecordingShares, home: str, running: Collection[str]
) -> RecordingShares | None:
    """Return the shares once a home that is about to end has made another node the home.

    `running` are the nodes that do not end. What the home had collected is collected again, so
    these nodes have to run, too. `None` if there is no successor.
    """
    successors = [node for node in shares.nodes[1:] if node in running]
    if shares.nodes[:1] != (home,) or not successors:
        return None
    if any(node not in running for node in shares.collected):
        return None
    rest = (node for node in shares.nodes[1:] if node != successors[0])
    nodes = (successors[0], *rest, home, *shares.collected)
    return RecordingShares(shares.id, shares.site_id, shares.state, nodes, {}, shares.abandoned)


def after_abandonment(
    shares: RecordingShares, node_id: str, machine: str
) -> RecordingShares | None:
    """Return the shares without a node; `None` if no other node has journals.

    If it was the home, what it had collected is collected again, by the next node.
    """
    rest = tuple(node for node in shares.nodes if node != node_id)
    collected = shares.collected
    if shares.nodes[0] == node_id:
        rest, collected = (*rest, *collected), {}
    if not rest:
        return None
    abandoned = {**shares.abandoned, node_id: machine}
    return RecordingShares(shares.id, shares.site_id, shares.state, rest, collected, abandoned)
