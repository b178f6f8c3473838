"""Automatic means every call, whatever dies. The long form is `make chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.chaos import ChaosRun

pytestmark = [pytest.mark.fault, pytest.mark.media]


def test_every_connected_call_of_a_chaos_run_is_recorded_once(tmp_path: Path) -> None:
    outcome = ChaosRun(tmp_path, seed=1).hold(calls=16, desks=4)
    print(outcome)
    assert len(outcome.connected) >= 4
    assert sum(outcome.faults.values()) >= 5
