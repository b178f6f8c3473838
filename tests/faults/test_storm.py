"""Automatic means every call, whatever dies. The long form is `make storm`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.storm import Storm

pytestmark = pytest.mark.fault


@pytest.mark.timeout(300)
def test_every_connected_call_of_a_storm_is_recorded_once(tmp_path: Path) -> None:
    outcome = Storm(tmp_path, seed=1).hold(calls=16, desks=4)
    print(outcome)
    assert len(outcome.connected) >= 4
    assert sum(outcome.misfortunes.values()) >= 5
