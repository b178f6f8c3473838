"""Upload keys."""

from __future__ import annotations

from pathlib import Path

from visavis.archive.upload_keys import OwnKey, UploadKeyHolder, UploadKeys, ensure_key


def test_the_archive_s_own_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "archive.key"
    key = ensure_key(path)
    assert ensure_key(path) == key
    assert path.stat().st_mode & 0o077 == 0
    assert [p.name for p in tmp_path.iterdir()] == ["archive.key"]


def test_site_keys_come_and_go_while_the_server_runs(tmp_path: Path) -> None:
    server, command = UploadKeys(tmp_path, lambda: "own"), UploadKeys(tmp_path, lambda: "own")
    assert server.uploader("own") == UploadKeyHolder(None)
    assert server.uploader("") is None
    key, other = command.add("a", 2), command.add("a", 3)
    assert server.uploader(key) == UploadKeyHolder(2, "a")
    assert server.uploader(other) == UploadKeyHolder(3, "a")
    assert key not in (tmp_path / "keys.json").read_text()
    assert command.delete("a", 2)
    assert not command.delete("a", 2)
    assert server.uploader(key) is None
    assert server.uploader(other) == UploadKeyHolder(3, "a")


def test_a_replaced_key_is_valid_for_a_while(tmp_path: Path) -> None:
    now = 1000.0
    keys = UploadKeys(tmp_path, lambda: "own", lambda: now)
    first, other = keys.add("theirs", 1), keys.add("theirs", 2)
    assert keys.rotate("nobody's", 1, 60) is None
    second = keys.rotate("theirs", 1, 60)
    assert second
    assert keys.uploader(first) == keys.uploader(second)
    now += 60
    assert keys.uploader(first) is None
    third = keys.rotate("theirs", 1, 60)
    assert third
    assert [keys.uploader(key) is None for key in (first, second, third)] == [True, False, False]
    fourth = keys.rotate("theirs", 1, 0)
    assert fourth
    assert [keys.uploader(key) is None for key in (second, third, fourth)] == [True, True, False]
    assert keys.uploader(other)
    assert keys.delete("theirs", 1)
    assert keys.uploader(fourth) is None


def test_the_archive_s_own_key_is_replaced_while_the_server_runs(tmp_path: Path) -> None:
    now, path = 1000.0, tmp_path / "archive.key"
    server, recorder = UploadKeys(tmp_path, OwnKey(path), lambda: now), OwnKey(path)
    command = UploadKeys(tmp_path, OwnKey(path), lambda: now)
    first, theirs = recorder(), command.add("theirs", 1)
    command.rotate_own(path, 60)
    second = recorder()
    assert second != first
    assert path.stat().st_mode & 0o077 == 0
    assert [server.uploader(key) for key in (first, second)] == [
        UploadKeyHolder(None),
        UploadKeyHolder(None),
    ]
    now += 60
    assert [server.uploader(key) for key in (first, second)] == [None, UploadKeyHolder(None)]
    command.rotate_own(path, 0)
    assert server.uploader(second) is None
    assert server.uploader(recorder()) == UploadKeyHolder(None)
    assert server.uploader(theirs) == UploadKeyHolder(1, "theirs")
    path.unlink()  # such as while it is restored from a backup
    assert recorder()
