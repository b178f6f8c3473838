"""Members report their highest counts to one another; the keys reveal no network or token."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from visavis.domain.membership import Member
from visavis.domain.shared_counts import MAX_SHARED, busiest, counted_elsewhere, shared_key

A = Member("a", "boot", datetime(2026, 1, 1, tzinfo=UTC), "1", "machine", "http://a", ("app",))


def test_counts_far_below_their_limits_are_not_told() -> None:
    told = busiest([(("call", "192.0.2.1"), 2, 100), (("call", "192.0.2.2"), 1.9, 100)])
    assert told == {shared_key("call", "192.0.2.1"): 2}
    assert "192.0.2.1" not in str(told)


def test_the_counts_nearest_to_their_limits_are_told() -> None:
    counts = [(("page", str(number)), number, 1000) for number in range(900)]
    told = busiest([*counts, (("call", "x"), 9, 10)])
    assert len(told) == MAX_SHARED
    assert told[shared_key("call", "x")] == 9
    assert shared_key("page", "899") in told
    assert shared_key("page", "100") not in told


def test_the_counts_of_the_others_are_added_up() -> None:
    members = [
        replace(A, counts={"k": 100.0}),
        replace(A, node_id="b", counts={"k": 3.0, "only b": 1.0}),
        replace(A, node_id="c", counts={"k": 2.5}),
    ]
    assert counted_elsewhere(members, "a") == {"k": 5.5, "only b": 1.0}
