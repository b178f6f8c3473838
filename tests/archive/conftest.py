"""An archive without a network, and who looks into it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from starlette.requests import Request

from tests import http_clients
from tests.object_store import SeaweedFs, open_objects
from tests.routing import routed
from visavis.archive.archive import Archive
from visavis.archive.ports import ObjectStore
from visavis.archive.s3 import S3ObjectStore
from visavis.archive.tus_headers import BODY_TYPE, write_metadata
from visavis.domain.audit import FieldChange
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.library import Entry, LibrarySearch
from visavis.domain.people import Agent, Permission
from visavis.protocol.routes import Access
from visavis.services.ports import Transaction
from visavis.store import open_store
from visavis.store.sql import SqlStore
from visavis.web.authentication import require_access

KEY = "key"
TUS = {"Authorization": f"Bearer {KEY}", "Tus-Resumable": "1.0.0"}
AGENTS = {
    "viewer": Agent(7, 1, "v@example.com", "V", False, frozenset({Permission.VIEW_RECORDINGS})),
    "admin": Agent(8, 1, "a@example.com", "A", True),
    "nobody": Agent(9, 1, "n@example.com", "N", False),
    "other": Agent(10, 2, "o@example.com", "O", True),
}


async def admit(request: Request, access: Access) -> Agent:
    """Return the agent that a header names."""
    try:
        agent = AGENTS[request.headers["agent"]]
    except KeyError:
        raise VisavisError(ErrorKind.Unauthorized) from None
    require_access(agent, access)
    return agent


@dataclass
class ArchiveHarness:
    """A running archive, a client of it and its audit log."""

    directory: Path
    store: SqlStore
    address: str = ""
    """URL of its object store, empty if it stores on the local disk."""
    days: dict[int, int] = field(default_factory=dict)
    log: list[tuple[str, int | None, str]] = field(default_factory=list)
    archive: Archive = field(init=False)
    objects: ObjectStore | None = field(init=False)
    client: httpx2.AsyncClient = field(init=False)
    is_open: bool = False
    deleted: list[tuple[int, str]] = field(default_factory=list)
    disabled: set[int] = field(default_factory=set)

    def open(self) -> ArchiveHarness:
        """As after a start on this directory."""
        if self.is_open:
            self.archive.close()
        self.is_open = True
        self.archive = Archive(
            self.directory,
            key=lambda: KEY,
            store=self.store,
            audit=self.hear,
            retention_days_of=self.retention,
            objects=open_objects(self.address) if self.address else None,
            on_deleted=self.forget,
            is_disabled=self.is_disabled,
        )
        app = routed(self.archive.routes(), self.archive.gates(), admit)
        self.objects = self.archive._objects
        transport = httpx2.ASGITransport(app)
        self.client = http_clients.AsyncClient(transport=transport, base_url="http://archive")
        return self

    async def content(self, recording: str = "rec", site_id: int = 1) -> bytes | None:
        """Return the bytes of a recording as a download has them; `None` if there is none."""
        agent = {1: "admin", 2: "other"}[site_id]
        answer = await self.ask(f"/{recording}/original.mkv", agent)
        return answer.content if answer.status_code == 200 else None

    async def rest_of_uploads(self) -> list[str]:
        """Return the stored files or objects of uploads."""
        if not self.address:
            return [path.name for path in (self.directory / "uploads").iterdir()]
        objects = self.objects
        assert isinstance(objects, S3ObjectStore)
        listed = objects._client.list_objects_v2(Bucket=objects._bucket, Prefix=objects._prefix)
        begun = objects._client.list_multipart_uploads(Bucket=objects._bucket)
        keys = [one["Key"] for one in [*listed.get("Contents", []), *begun.get("Uploads", [])]]
        return [key for key in keys if key.startswith(objects._prefix)]

    async def is_disabled(self, site_id: int) -> bool:
        return site_id in self.disabled

    async def forget(self, site_id: int, recording_id: str) -> None:
        self.deleted.append((site_id, recording_id))

    async def hear(
        self,
        _: int,
        agent_id: int | None,
        action: str,
        __: str,
        changes: tuple[FieldChange, ...],
        is_new: Callable[[Transaction], bool] = lambda _: True,
    ) -> None:
        if not await self.store.write(is_new):
            return
        self.log.append((action, agent_id, changes[-1].new_value or changes[-1].old_value))

    async def retention(self, site_id: int) -> int | None:
        return self.days.get(site_id)

    async def tus(
        self, method: str, path: str = "/recordings/", content: bytes = b"", **headers: Any
    ) -> httpx2.Response:
        """A request of a recorder; a header's name is written with underscores."""
        sent = {name.replace("_", "-"): str(value) for name, value in headers.items()}
        return await self.client.request(method, path, content=content, headers={**TUS, **sent})

    async def create(self, length: int | None = None, **metadata: str) -> str:
        """The new upload's address."""
        sized = {"Upload_Length": length} if length is not None else {"Upload_Defer_Length": 1}
        said = {"Upload_Metadata": write_metadata(metadata)} if metadata else {}
        headers: dict[str, Any] = {**sized, **said}
        answer = await self.tus("POST", **headers)
        assert answer.status_code == 201, answer.text
        return urljoin("/recordings/", answer.headers["location"])

    async def patch(self, url: str, offset: int, data: bytes, **more: Any) -> httpx2.Response:
        return await self.tus(
            "PATCH", url, data, **{"Upload_Offset": offset, "Content_Type": BODY_TYPE, **more}
        )

    async def offset(self, url: str) -> int:
        return int((await self.tus("HEAD", url)).headers["upload-offset"])

    async def keep(self, data: bytes, recording: str = "rec", **metadata: str) -> None:
        """Bring a whole recording in."""
        sha256 = hashlib.sha256(data).hexdigest()
        said = {"site": "1", "recording": recording, "sha256": sha256, **metadata}
        url = await self.create(len(data), **said)
        assert (await self.patch(url, 0, data)).headers["visavis-sha256"] == sha256

    async def entries(self, site_id: int = 1) -> list[Entry]:
        """Return all recordings of a site, in the order of their ids."""
        found = await self.archive._library.search(site_id, LibrarySearch(limit=500))
        return sorted(found.entries, key=lambda entry: entry.id)

    async def ask(
        self, path: str, agent: str = "viewer", method: str = "GET", **headers: str
    ) -> httpx2.Response:
        """A request of somebody at the library page."""
        address = f"/library/recordings{path}"
        return await self.client.request(method, address, headers={"agent": agent, **headers})


@pytest.fixture
def store(new_database: Path) -> Iterator[SqlStore]:
    opened = open_store(str(new_database))
    yield opened
    opened.close()


both_storages = pytest.mark.parametrize(
    "storage", ["disk", pytest.param("objects", marks=pytest.mark.interop)], indirect=True
)
"""Runs a test on the local disk and on an object store."""


@pytest.fixture
def storage(request: pytest.FixtureRequest) -> str:
    """URL of an object store, empty for the local disk."""
    if getattr(request, "param", "disk") == "disk":
        return ""
    seaweed: SeaweedFs = request.getfixturevalue("seaweed")
    return seaweed.new_address()


@pytest.fixture
async def harness(
    tmp_path: Path, store: SqlStore, storage: str, anyio_backend: str
) -> AsyncIterator[ArchiveHarness]:
    open_house = ArchiveHarness(tmp_path / "archive", store, storage).open()
    yield open_house
    await open_house.client.aclose()
    open_house.archive.close()
