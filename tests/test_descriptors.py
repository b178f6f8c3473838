"""The limit of open files, and the connections that leave a reserve below it."""

from __future__ import annotations

import resource

import pytest

from visavis import descriptors
from visavis.web.connections import ConnectionGate


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The limits in force, the last one first; nothing of the test process changes."""
    known = [(1024, 4096)]

    def set_limit(_: int, wanted: tuple[int, int]) -> None:
        if wanted[0] > known[0][1] != resource.RLIM_INFINITY:
            raise ValueError("not allowed")
        known.insert(0, wanted)

    monkeypatch.setattr(resource, "getrlimit", lambda _: known[0])
    monkeypatch.setattr(resource, "setrlimit", set_limit)
    return known


def test_the_limit_is_raised_to_the_hard_one(limits: list[tuple[int, int]]) -> None:
    assert descriptors.raise_limit() == 4096
    assert descriptors.for_connections() == 4096 - descriptors.RESERVE


def test_a_limit_that_is_higher_stays(limits: list[tuple[int, int]]) -> None:
    limits.insert(0, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert descriptors.raise_limit() == descriptors.WANTED
    assert len(limits) == 2


def test_a_limit_that_cannot_be_raised_is_used(
    limits: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("not permitted")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    assert descriptors.raise_limit() == 1024


def test_a_small_limit_leaves_half(limits: list[tuple[int, int]]) -> None:
    limits.insert(0, (256, 256))
    assert descriptors.for_connections() == 128


def test_the_gate_counts_by_network_and_in_total() -> None:
    gate = ConnectionGate(10, ["10.0.0.0/8", "unix"], per_network=2, clock=lambda: 0.0)
    assert [gate.enter("192.0.2.1", 3) for _ in range(3)] == ["192.0.2.1", "192.0.2.1", None]
    assert gate.enter("127.0.0.1", 4) == ""
    assert [gate.enter("10.1.2.3", 5) for _ in range(5)] == [""] * 5
    assert gate.enter("192.0.2.2", 11) is None
    gate.leave("192.0.2.1")
    gate.leave("")
    assert gate.enter("192.0.2.1", 3) == "192.0.2.1"
    assert gate.refused == 2
    assert ConnectionGate(10, ["*"], per_network=0).enter("192.0.2.1", 1) == ""
