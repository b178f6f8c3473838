"""Administration of the nodes that share the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from visavis.domain.audit import ActionType
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.membership import Member, MemberState, node_of_member
from visavis.domain.people import operator
from visavis.services.audit import Auditor
from visavis.services.ports import Store, Transaction


class NodeAdmin:
    """Actions of operators on nodes."""

    def __init__(self, store: Store, auditor: Auditor) -> None:
        self._store = store
        self._auditor = auditor

    async def drain(self, name: str) -> Member:
        """Let a node, named by its id or machine, take no new calls and hand its calls over.

        A node is drained as a whole: the id of one of its app processes names it, too. This is
        valid until `undrain`, also after a restart of the node. Raises `EntityNotFound` and
        `PreconditionFailed`.
        """
        return await self._store.write(lambda rows: self._set_drained(rows, name, is_drained=True))

    async def undrain(self, name: str) -> Member:
        """Let a node take new calls again. Raises as `drain` does."""
        return await self._store.write(lambda rows: self._set_drained(rows, name, is_drained=False))

    def _set_drained(self, rows: Transaction, name: str, *, is_drained: bool) -> Member:
        members = rows.members.all()
        node = _named(members, name)
        if is_drained:
            _require_others(node, members)
        if rows.nodes.set_drained(node.node_id, is_drained=is_drained):
            self._audit(rows, node, is_drained=is_drained)
        return node

    def _audit(self, rows: Transaction, node: Member, *, is_drained: bool) -> None:
        """Add the action to the logs of all sites, each of which may have calls on the node."""
        action = ActionType.NODE_DRAINED if is_drained else ActionType.NODE_UNDRAINED
        done = "Drained" if is_drained else "Ended the drain of"
        summary = f"{done} the node {node.machine} ({node.node_id})"
        for site in rows.sites.all():
            author, target = operator(site.id), f"node {node.node_id}"
            rows.audit.add(self._auditor.entry(author, site.id, action, target, summary))


def _named(members: Sequence[Member], name: str) -> Member:
    """Return a member of the node with this name, with the id of the node."""
    named = [one for one in members if name in {one.node_id, one.machine}]
    found = {node_of_member(one.node_id): one for one in named}
    if not found:
        raise VisavisError(ErrorKind.EntityNotFound, f"There is no node {name}: see visavis nodes.")
    if len(found) > 1:
        ids = ", ".join(found)
        raise VisavisError(
            ErrorKind.PreconditionFailed, f"Several nodes run on {name}: choose one of {ids}."
        )
    ((node_id, member),) = found.items()
    return replace(member, node_id=node_id)


def _require_others(node: Member, members: Sequence[Member]) -> None:
    """Raise `PreconditionFailed` if no other node has been started that has an app, too."""
    others = [
        one for one in members if node_of_member(one.node_id) != node.node_id and "app" in one.roles
    ]
    if "app" in node.roles and all(one.state is MemberState.STOPPED for one in others):
        raise VisavisError(
            ErrorKind.PreconditionFailed,
            f"No other node can take the sites of {node.machine}: start one first.",
        )
