"""The id of a node, which the app and the recorder may create at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from visavis.clock_and_ids import ensure_node_id
from visavis.durable import write_synced


def test_processes_that_start_at_once_agree_on_the_node_s_id(tmp_path: Path) -> None:
    path = tmp_path / "node"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(ensure_node_id, [path] * 64))
    assert found == {path.read_text()}
    assert [one.name for one in tmp_path.iterdir()] == ["node"]


def test_an_empty_file_counts_as_missing(tmp_path: Path) -> None:
    path = tmp_path / "node"
    path.touch()
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(ensure_node_id, [path] * 64))
    assert found == {path.read_text()} != {""}


def test_the_file_appears_once_its_content_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "node"

    def dying(draft: Path, content: bytes) -> None:
        assert not path.exists()
        draft.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr("visavis.durable.write_synced", dying)
    with pytest.raises(KeyboardInterrupt):
        ensure_node_id(path)
    assert not path.exists()

    monkeypatch.setattr("visavis.durable.write_synced", write_synced)
    assert ensure_node_id(path) == path.read_text() != ""
    assert [one.name for one in tmp_path.iterdir()] == ["node"]
