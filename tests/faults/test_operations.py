"""The machine fails, and the product goes on and says so. The long form is `make faults`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.operations import Operations

pytestmark = [pytest.mark.fault, pytest.mark.media, pytest.mark.postgresql]


def test_faults_of_the_machine_leave_calls_and_recordings_alone(tmp_path: Path) -> None:
    report = Operations(tmp_path, seed=4).run(rounds=1)
    print(report)
    assert len(report.faults) >= 10
    assert len(report.connected - report.unrecorded) >= 2 * len(report.faults)
