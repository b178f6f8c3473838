"""Who is tried when, in simulated time and with a carrier that only takes notes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from tests.recorder.conftest import put_muxed
from visavis.domain.call_events import CallReport
from visavis.domain.delivery_status import DeliveryProgress, Outlook, Server
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.recording import (
    INCOMPLETE,
    MANIFEST,
    MATROSKA,
    Delivery,
    Manifest,
    RecordingState,
    journal_name,
)
from visavis.recorder import spool
from visavis.recorder.answers import DeliveryError
from visavis.recorder.kept import Kept, keep
from visavis.recorder.sending import Sending

pytestmark = pytest.mark.anyio

ONE, OTHER = Server("http://one.example/"), Server("http://other.example/")
DOWN = DeliveryError("The recording server is away.", is_servers=True)
TOO_LARGE = DeliveryError("Too large.")


@dataclass
class Book:
    """Stands for the database: what it was told, and whether it answers."""

    told: list[tuple[str, DeliveryProgress]] = field(default_factory=list)
    delivered_ids: list[str] = field(default_factory=list)
    is_away: bool = False

    def _demand(self) -> None:
        if self.is_away:
            raise VisavisError(ErrorKind.StoreUnavailable)

    async def outlooks(self, site_ids: frozenset[int]) -> Mapping[int, Outlook]:
        raise NotImplementedError

    async def over(self, site_id: int, call_ids: frozenset[str]) -> frozenset[str]:
        raise NotImplementedError

    async def call_report(self, site_id: int, call_id: str) -> CallReport | None:
        raise NotImplementedError

    async def note(self, manifest: Manifest, progress: DeliveryProgress) -> None:
        self._demand()
        self.told.append((manifest.recording_id, progress))

    async def delivered(self, manifest: Manifest, delivery: Delivery, server_url: str) -> None:
        self._demand()
        self.delivered_ids.append(manifest.recording_id)

    async def retried(self, site_id: int, recording_ids: frozenset[str]) -> None:
        raise NotImplementedError


@dataclass
class Van:
    """Stands for the tus client: `errors` by recording or by server, `held` until let go."""

    errors: dict[str, DeliveryError | OSError] = field(default_factory=dict)
    went: list[str] = field(default_factory=list)
    held: asyncio.Event | None = None

    async def deliver(
        self, directory: Path, manifest: Manifest, server: Server, told: Callable[[int], None]
    ) -> None:
        self.went.append(manifest.recording_id)
        told(5)
        if self.held:
            await self.held.wait()
        for name in (server.url, manifest.recording_id):
            if name in self.errors:
                raise self.errors[name]


class Depot:
    """Recordings in a spool, a clock, and where each site's recordings go."""

    def __init__(self, directory: Path, limit: int = 4) -> None:
        self.directory = directory
        self.book, self.van, self.now = Book(), Van(), 0.0
        self.servers = {1: ONE, 2: OTHER}
        self.sending = Sending(self.book, self.van, limit, lambda: self.now, lambda: 0.5)
        self.kept: list[Kept] = []

    def put(self, *recording_ids: str, site_id: int = 1) -> None:
        for recording_id in recording_ids:
            put_muxed(self.directory, recording_id, b"matroska", site_id)
            self.kept.append(keep(self.directory / recording_id, lambda: 0.5))

    def start(self) -> list[str]:
        """Which are begun with now, by their ids."""
        outlooks = {site: Outlook(server) for site, server in self.servers.items()}
        self.sending.start(self.kept, outlooks, self.now)
        return [kept.id for kept in self.kept if kept.task]

    async def settle(self) -> list[str]:
        """Begin, and see it through."""
        begun = self.start()
        await asyncio.gather(*(kept.task for kept in self.kept if kept.task))
        for kept in self.kept:
            kept.task = None
        self.kept = [kept for kept in self.kept if kept.directory.exists()]
        return begun

    async def tries(self, until: float, step: float = 0.25) -> list[float]:
        """The moments at which something was tried."""
        moments = []
        while self.now < until:
            if await self.settle():
                moments.append(self.now)
            self.now += step
        return moments


@pytest.fixture
def depot(tmp_path: Path) -> Depot:
    return Depot(tmp_path / "spool")


async def test_what_is_delivered_leaves_the_spool_when_the_database_knows(depot: Depot) -> None:
    depot.put("a")
    depot.book.is_away = True
    assert await depot.settle() == ["a"]
    assert (depot.directory / "a" / MATROSKA).exists()
    depot.book.is_away = False
    depot.now = 1.0
    assert await depot.settle() == ["a"]
    assert depot.book.delivered_ids == ["a"]
    assert list(depot.directory.iterdir()) == []


async def test_the_journals_of_an_incomplete_recording_are_kept(depot: Depot) -> None:
    depot.put("a")
    directory = depot.kept[0].directory
    (directory / journal_name(1)).write_bytes(b"journal")
    delivery = spool.read_delivery(directory)
    assert delivery
    spool.write_delivery(directory, msgspec.structs.replace(delivery, missing=("No video.",)))
    await depot.settle()
    assert depot.book.delivered_ids == ["a"]
    assert spool.recordings(depot.directory) == []
    kept = depot.directory / INCOMPLETE / "a"
    assert (kept / journal_name(1)).read_bytes() == b"journal"
    assert sorted(path.name for path in kept.iterdir()) == [journal_name(1), MANIFEST]


async def test_several_at_once_with_a_limit(depot: Depot) -> None:
    depot.put("a", "b", "c", "d", "e", "f")
    depot.van.held = asyncio.Event()
    assert depot.start() == ["a", "b", "c", "d"]
    assert depot.start() == ["a", "b", "c", "d"]
    depot.van.held.set()
    await depot.settle()
    assert await depot.settle() == ["e", "f"]
    assert depot.kept == []


async def test_a_server_that_fails_is_tried_ever_less_often(depot: Depot) -> None:
    depot.put("a")
    depot.van.errors[ONE.url] = DOWN
    assert await depot.tries(32) == [0, 1, 3, 7, 15, 31]
    told = [progress for _, progress in depot.book.told]
    assert [p.is_attempt for p in told[:2]] == [True, False]
    assert told[1] == DeliveryProgress(
        RecordingState.WAITING, uploaded=5, error=str(DOWN), next_try=1.0
    )


async def test_a_failing_server_is_tried_by_one_at_a_time_in_turn(depot: Depot) -> None:
    depot.put("a", "b", "c")
    depot.van.errors[ONE.url] = DOWN
    assert await depot.settle() == ["a", "b", "c"]  # nobody knew yet
    depot.now = 1.0
    assert await depot.settle() == ["a"]
    depot.now = 3.0
    assert await depot.settle() == ["b"]
    depot.van.errors.clear()
    depot.now = 7.0
    assert await depot.settle() == ["c"]
    assert await depot.settle() == ["a", "b"]  # it is up: all others follow at once


async def test_one_bad_recording_does_not_stop_the_others(depot: Depot) -> None:
    depot.put("bad", "good")
    depot.van.errors["bad"] = TOO_LARGE
    assert await depot.settle() == ["bad", "good"]
    assert depot.book.delivered_ids == ["good"]
    depot.put("next")
    assert await depot.settle() == ["next"]
    assert await depot.tries(16) == [1, 3, 7, 15]


async def test_failing_servers_leave_places_to_others(depot: Depot) -> None:
    depot.servers = {site: Server(f"http://{site}.example/") for site in range(1, 6)}
    for site in range(1, 6):
        depot.put(f"site-{site}", site_id=site)
    for site in range(1, 5):
        depot.van.errors[f"http://{site}.example/"] = DOWN
    assert len(await depot.settle()) == 4
    depot.now = 1.0
    depot.van.held = asyncio.Event()
    begun = depot.start()
    assert "site-5" in begun
    assert len(begun) == 3  # half of four places, and the one that is well
    depot.van.held.set()
    await depot.settle()


async def test_recordings_follow_the_address_as_it_is_now(depot: Depot) -> None:
    depot.put("a", "b")
    depot.van.errors[ONE.url] = DOWN
    depot.van.errors["b"] = TOO_LARGE
    depot.servers[1] = OTHER
    assert await depot.settle() == ["a", "b"]
    assert depot.book.delivered_ids == ["a"]
    del depot.van.errors["b"]
    assert await depot.settle() == []
    depot.servers[1] = Server(OTHER.url, "another secret")
    assert await depot.settle() == ["b"]
    assert depot.book.delivered_ids == ["a", "b"]


async def test_retry_after(depot: Depot) -> None:
    depot.put("a")
    depot.van.errors[ONE.url] = DeliveryError("Busy.", retry_after=20.0, is_servers=True)
    assert await depot.tries(25) == [0, 20]


async def test_somebody_wants_another_try(depot: Depot) -> None:
    depot.put("a")
    depot.van.errors[ONE.url] = DOWN
    await depot.tries(10)
    depot.sending.retry(OTHER)  # nobody has ever tried that one
    assert await depot.settle() == []
    depot.sending.retry(ONE)
    assert await depot.settle() == ["a"]


async def test_what_another_process_has_is_left_to_it(depot: Depot) -> None:
    depot.put("a")
    with spool.claimed(depot.directory / "a") as is_ours:
        assert is_ours
        await depot.settle()
        assert depot.van.went == []
    depot.now = 1.0
    await depot.settle()
    assert depot.book.delivered_ids == ["a"]


async def test_trouble_on_this_machine(depot: Depot) -> None:
    depot.put("a")
    depot.van.errors["a"] = OSError("the disk is bad")
    await depot.settle()
    assert "This machine could not go on: the disk is bad" in str(depot.book.told[-1][1].error)


async def test_a_file_that_changes_under_way_is_made_anew(depot: Depot) -> None:
    depot.put("a")
    depot.van.held = asyncio.Event()
    depot.start()
    await asyncio.sleep(0)
    (depot.directory / "a" / MATROSKA).write_bytes(b"torn")
    depot.van.held.set()
    await depot.settle()
    assert depot.book.delivered_ids == []
    assert [kept.is_muxed for kept in depot.kept] == [False]


async def test_sites_of_which_nothing_is_known_wait(depot: Depot) -> None:
    depot.put("a", site_id=7)
    assert await depot.settle() == []
