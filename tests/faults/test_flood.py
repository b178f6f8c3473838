"""Floods from loopback, for seconds. The long form is part of `make soak`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.flood import ATTACKERS, SOCKETS_EACH, Flood

pytestmark = [pytest.mark.fault, pytest.mark.media]


def test_floods_leave_a_good_call_and_a_real_visitor_alone(tmp_path: Path) -> None:
    figures = Flood(tmp_path).measure(2.0)
    print(figures.table())
    for share in figures.shares:
        assert share.delivered > 0.9, figures.table()
    assert figures.attackers_calls <= 5 * len(ATTACKERS)  # `waiting_calls_per_address`
    assert figures.place <= len(ATTACKERS) + 1
    for part, before in figures.before.items():
        after = figures.after[part]
        assert after.megabytes < before.megabytes + 150
        assert after.descriptors < before.descriptors + SOCKETS_EACH * len(ATTACKERS) + 50
