"""Nodes that operators drain: by id or machine, in the audit log, and not the last app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from visavis.clock_and_ids import new_id
from visavis.domain.audit import ActionType
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.membership import Member
from visavis.services.audit import Auditor
from visavis.services.nodes import NodeAdmin
from visavis.services.ports import Transaction
from visavis.store import open_store
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def add_nodes(rows: Transaction) -> None:
    media = ("media", "recorder")
    for node_id, machine, roles in (
        ("a", "media-7", media),
        ("b", "media-8", media),
        ("c", "media-8", media),
        ("d", "app-1", ("app",)),
    ):
        rows.nodes.save(node_id, "", NOW, machine)
        rows.members.beat(Member(node_id, "boot", NOW, "1", machine, "", roles))
    for name in ("One", "Two"):
        rows.sites.add(name, NOW)


@pytest.fixture
async def store(new_database: Path, anyio_backend: str) -> AsyncIterator[SqlStore]:
    opened = open_store(str(new_database))
    await opened.write(add_nodes)
    yield opened
    opened.close()


@pytest.fixture
def admin(store: SqlStore) -> NodeAdmin:
    return NodeAdmin(store, Auditor(lambda: NOW, new_id))


async def test_a_node_is_drained_until_it_is_undrained(admin: NodeAdmin, store: SqlStore) -> None:
    for name in ("media-7", "a"):  # the second time changes nothing
        assert (await admin.drain(name)).node_id == "a"
        assert await store.read(lambda rows: rows.nodes.is_drained("a"))
    await store.write(lambda rows: rows.nodes.save("a", "", NOW, "media-7"))  # a restart
    assert await store.read(lambda rows: rows.nodes.is_drained("a"))
    assert not await store.read(lambda rows: rows.nodes.is_drained("b"))
    await admin.undrain("a")
    assert not await store.read(lambda rows: rows.nodes.is_drained("a"))
    for site_id in (1, 2):
        entries = await store.read(lambda rows, n=site_id: rows.audit.list_page(n, 9))  # type: ignore[misc]
        assert [(one.action_type, one.summary) for one in entries] == [
            (ActionType.NODE_UNDRAINED, "Ended the drain of the node media-7 (a)"),
            (ActionType.NODE_DRAINED, "Drained the node media-7 (a)"),
        ]


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("e", ErrorKind.EntityNotFound, "There is no node e"),
        ("media-8", ErrorKind.PreconditionFailed, "choose one of b, c"),
        ("d", ErrorKind.PreconditionFailed, "No other node can take the sites of app-1"),
    ],
)
async def test_a_node_that_cannot_be_drained(
    admin: NodeAdmin, name: str, kind: ErrorKind, message: str
) -> None:
    with pytest.raises(VisavisError, match=message) as caught:
        await admin.drain(name)
    assert caught.value.kind is kind


async def test_an_app_is_drained_if_another_one_can_take_its_sites(
    admin: NodeAdmin, store: SqlStore
) -> None:
    await store.write(lambda rows: rows.nodes.save("e", "", NOW, "app-2"))
    other = Member("e", "boot", NOW, "1", "app-2", "", ("app",))
    await store.write(lambda rows: rows.members.beat(other))
    assert (await admin.drain("app-1")).node_id == "d"
    await store.write(lambda rows: rows.members.stop("e", "boot"))
    with pytest.raises(VisavisError, match="No other node can take the sites of app-1"):
        await admin.drain("app-1")
    await admin.undrain("app-1")
    assert not await store.read(lambda rows: rows.nodes.is_drained("d"))


async def test_the_app_processes_of_a_node_are_drained_together(
    admin: NodeAdmin, store: SqlStore
) -> None:
    async def start(node_id: str, machine: str) -> None:
        await store.write(lambda rows: rows.nodes.save(node_id, "", NOW, machine))
        member = Member(node_id, "boot", NOW, "1", machine, "", ("app",))
        await store.write(lambda rows: rows.members.beat(member))

    await start("d:1", "app-1")
    with pytest.raises(VisavisError, match="No other node can take the sites of app-1"):
        await admin.drain("app-1")
    await start("e", "app-2")
    for name in ("app-1", "d:1", "d"):
        assert (await admin.drain(name)).node_id == "d"
        assert await store.read(lambda rows: rows.nodes.is_drained("d"))
        await admin.undrain(name)
        assert not await store.read(lambda rows: rows.nodes.is_drained("d"))
