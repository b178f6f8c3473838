"""Copies of objects on the local disk."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest

from tests.running import PATIENCE, until
from visavis.archive.object_copies import ObjectCopies

pytestmark = pytest.mark.anyio


class Objects:
    """An object store with one object."""

    async def read(self, _: str, start: int, size: int) -> bytes:
        return b"content"[start : start + size]


async def test_a_copy_that_is_deleted_does_not_take_the_next_one_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = ObjectCopies(Objects(), tmp_path / "copies")  # type: ignore[arg-type]
    is_deleting, may_delete, unlink = threading.Event(), threading.Event(), Path.unlink

    def unlink_later(path: Path, *, missing_ok: bool = False) -> None:
        is_deleting.set()
        may_delete.wait(PATIENCE)
        unlink(path, missing_ok=missing_ok)

    async def use_first() -> None:
        async with copies.opened("key", 7) as path:
            assert path.read_bytes() == b"content"

    monkeypatch.setattr(Path, "unlink", unlink_later)
    first = asyncio.ensure_future(use_first())
    await until(is_deleting.is_set)
    async with copies.opened("key", 7) as path:
        may_delete.set()
        await first
        assert path.read_bytes() == b"content"
    assert list((tmp_path / "copies").iterdir()) == []
