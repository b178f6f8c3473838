"""Taking recordings in, also twice and after a crash; finding, holding, deleting them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from visavis.archive.library import HeldError, Library, RefusedError
from visavis.archive.storage import LocalStorage

DATA = b"a film"
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "library")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "upload.part"
    path.write_bytes(DATA)
    return path


def metadata(**more: str) -> dict[str, str]:
    return {"site": "1", "recording": "rec", "sha256": SHA256, **more}


def test_a_recording_is_kept_and_found_after_a_start(storage: LocalStorage, data: Path) -> None:
    said = metadata(call="c", visitorName="Ann", agentName="Bo", duration="3.5", media="audio")
    entry = Library(storage).keep(said, "up", data)
    assert not data.exists()
    library = Library(storage)
    assert library.find(1, "rec") == entry
    assert library.find(2, "rec") is None
    assert library.file(entry).read_bytes() == DATA
    assert (entry.visitor_name, entry.agent_names, entry.duration) == ("Ann", ("Bo",), 3.5)
    assert entry.started_at.endswith("+00:00")


def test_an_incomplete_recording_says_what_is_missing(storage: LocalStorage, data: Path) -> None:
    said = metadata(missing="No video of the visitor.\nNo audio of the agent.")
    Library(storage).keep(said, "up", data)
    (entry,) = Library(storage).all()
    assert entry.missing == ("No video of the visitor.", "No audio of the agent.")


def test_it_may_be_brought_twice(storage: LocalStorage, data: Path) -> None:
    library = Library(storage)
    entry = library.keep(metadata(), "up", data)
    library.hold(entry, is_held=True)
    assert library.keep(metadata(), "up", data).is_held  # the file is gone already
    data.write_bytes(DATA)
    assert library.keep(metadata(), "other", data).is_held  # delivered anew from the start
    assert len(library.all()) == 1


def test_a_crash_between_the_sidecar_and_the_file(storage: LocalStorage, data: Path) -> None:
    entry = Library(storage).keep(metadata(), "up", data)
    storage.file(1, "rec").rename(data)
    assert Library(storage).all() == []
    assert Library(storage).keep(metadata(), "up", data) == entry


@pytest.mark.parametrize(
    "said",
    [
        {"sha256": "0" * 64},
        {"site": "0"},
        {"site": "../1"},
        {"recording": "a/b"},
        {"recording": "x" * 65},
    ],
)
def test_what_is_not_kept(storage: LocalStorage, data: Path, said: dict[str, str]) -> None:
    with pytest.raises(RefusedError):
        Library(storage).keep(metadata(**said), "up", data)
    assert data.exists()


def test_another_file_of_the_same_id_is_refused(storage: LocalStorage, data: Path) -> None:
    library = Library(storage)
    library.keep(metadata(), "up", data)
    data.write_bytes(b"another")
    with pytest.raises(RefusedError, match="another recording"):
        library.keep({"recording": "rec"}, "up", data)
    assert storage.file(1, "rec").read_bytes() == DATA


def test_a_foreign_upload_is_named_by_its_upload(storage: LocalStorage, data: Path) -> None:
    entry = Library(storage).keep({}, "up", data)
    assert (entry.id, entry.site_id, entry.sha256) == ("up", 1, SHA256)


@pytest.mark.parametrize("duration", ["", "nan", "-1", "inf", "x"])
def test_strange_durations(storage: LocalStorage, data: Path, duration: str) -> None:
    said: dict[str, Any] = metadata(duration=duration, startedAt="yesterday")
    assert Library(storage).keep(said, "up", data).duration == 0


def test_hold_is_on_disk_and_keeps_from_deletion(storage: LocalStorage, data: Path) -> None:
    library = Library(storage)
    held = library.hold(library.keep(metadata(), "up", data), is_held=True)
    with pytest.raises(HeldError):
        Library(storage).delete(held)
    released = library.hold(held, is_held=False)
    library.delete(released)
    library.delete(released)  # twice is once
    assert list(storage.file(1, "rec").parent.iterdir()) == []
    assert library.all() == Library(storage).all() == []
    with pytest.raises(KeyError):
        library.hold(released, is_held=True)


def test_contents_of_a_recording_from_before_there_were_any(
    storage: LocalStorage, data: Path
) -> None:
    library = Library(storage)
    entry = library.keep(metadata(), "up", data)
    storage.file(1, "rec").with_suffix(".details").unlink()
    assert library.contents(entry).tracks == ()
