"""Hands the sites and pages of this node over while an operator has drained it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from visavis.domain.membership import MemberState, node_of_member
from visavis.services.cluster.edge import Edge
from visavis.services.cluster.node import ClusterNode
from visavis.services.members import Members
from visavis.services.ports import Store

log = structlog.get_logger(__name__)

FOLLOW_SECONDS: Final = 1.0
"""Period at which a node finds out whether it is drained."""
MOVE_SECONDS: Final = 20
"""Time in which the open pages are closed, so that they do not all connect again at once."""


class AppDrain:
    """Lets this node hand over what it has, until it is undrained.

    A drained node is not ready, so balancers send new pages to others. In a cluster it gives its
    sites up to nodes that are ready, and its open pages connect again at these. While there is no
    such node, it goes on as if it were not drained. Without a cluster its calls stay until they
    end. `calls` returns the number of calls of this node.
    """

    def __init__(
        self,
        *,
        store: Store,
        members: Members,
        edge: Edge,
        cluster: ClusterNode | None,
        calls: Callable[[], int],
    ) -> None:
        self.is_leaving = False
        self._store = store
        self._members = members
        self._edge = edge
        self._cluster = cluster
        self._calls = calls
        self._is_drained = False
        self._open_pages = deque[str]()
        self._moved_at_once = 0

    async def follow(self) -> None:
        """Do what is to be done now; called every `FOLLOW_SECONDS`."""
        node_id = node_of_member(self._members.me.node_id)
        is_drained = await self._store.read(lambda rows: rows.nodes.is_drained(node_id))
        is_leaving = is_drained and (
            self._cluster is None or await self._cluster.find_successors(0.0)
        )
        if is_drained and not (is_leaving or self._is_drained):
            log.warning("the node is drained, but no other node is ready to take its sites")
        self._is_drained = is_drained
        if is_leaving and not self.is_leaving:
            self._leave()
        elif self.is_leaving and not is_leaving:
            self._stay()
        if is_leaving:
            self._move_pages()
            is_empty = not (self._edge.page_count or self._calls())
            self._members.state = MemberState.DRAINED if is_empty else MemberState.DRAINING

    def why_not_ready(self) -> str:
        """Return why balancers should send pages to other nodes; empty if they need not."""
        if not self.is_leaving:
            return ""
        pages, calls = self._edge.page_count, self._calls()
        return f"the node is drained: {pages} pages and {calls} calls are left"

    def _leave(self) -> None:
        self.is_leaving = True
        log.info("the node is being drained", pages=self._edge.page_count, calls=self._calls())
        if self._cluster:
            self._cluster.leave()
            self._open_pages.extend(self._edge.page_ids)
            self._moved_at_once = math.ceil(len(self._open_pages) * FOLLOW_SECONDS / MOVE_SECONDS)

    def _stay(self) -> None:
        self.is_leaving = False
        log.info("the node takes new calls again")
        self._open_pages.clear()
        self._members.state = MemberState.READY
        if self._cluster:
            self._cluster.stay()

    def _move_pages(self) -> None:
        for _ in range(min(self._moved_at_once, len(self._open_pages))):
            self._edge.send_on(self._open_pages.popleft())
