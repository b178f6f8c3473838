"""CPU quota for a relay, by a control group (version 1 or 2)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PERIOD_US = 10_000
"""Short period, so that a relay that has used its quota waits for only a few milliseconds."""

_VERSION_1 = Path("/sys/fs/cgroup/cpu")
_VERSION_2 = Path("/sys/fs/cgroup")
_MOST_SHARES, _MOST_WEIGHT = 262_144, 10_000  # Other processes do not reduce the quota.


@contextmanager
def cpu_quota(cores: float) -> Iterator[Path]:
    """Create a control group limited to `cores` cores; raises `OSError` if not permitted."""
    is_version_1 = (_VERSION_1 / "cpu.cfs_quota_us").exists()
    group = (_VERSION_1 if is_version_1 else _VERSION_2) / f"benchmark-{secrets.token_hex(4)}"
    group.mkdir()
    try:
        quota = str(round(cores * PERIOD_US))
        if is_version_1:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(quota)
            (group / "cpu.shares").write_text(str(_MOST_SHARES))
        else:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
            (group / "cpu.weight").write_text(str(_MOST_WEIGHT))
        yield group
    finally:
        group.rmdir()


def add_process(group: Path, pid: int) -> None:
    """Add a process to the group, without real-time priority, which would exempt it."""
    os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))
    (group / "cgroup.procs").write_text(str(pid))
