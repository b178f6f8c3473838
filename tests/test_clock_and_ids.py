"""The id of a node, which the app and the recorder may create at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from visavis.clock_and_ids import ensure_node_id


def test_processes_that_start_at_once_agree_on_the_node_s_id(tmp_path: Path) -> None:
    path = tmp_path / "node"
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(ensure_node_id, [path] * 64))
    assert found == {path.read_text()}
    assert [one.name for one in tmp_path.iterdir()] == ["node"]
