"""Roles of the nodes with journals of a recording: the state table, and its changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavis.domain.handover import (
    RecordingShares,
    SpoolRole,
    after_abandonment,
    after_adoption,
    after_collection,
    after_listing,
    after_succession,
    is_removable,
    spool_role,
)
from visavis.domain.recording import UNDELIVERED, RecordingState

NODES = "abcd"
ONE = {"0001-12345678": 10}
WAITING, DELIVERED = RecordingState.WAITING, RecordingState.DELIVERED


def shares(
    *nodes: str, collected: str = "", state: RecordingState = WAITING, abandoned: str = ""
) -> RecordingShares:
    return RecordingShares(
        "r", 1, state, nodes, dict.fromkeys(collected, ONE), {node: node for node in abandoned}
    )


@pytest.mark.parametrize(
    ("found", "role"),
    [
        (None, SpoolRole.UNLISTED),
        (shares(), SpoolRole.UNLISTED),
        (shares("b"), SpoolRole.UNLISTED),
        (shares("a"), SpoolRole.DELIVER),
        (shares("a", collected="b"), SpoolRole.DELIVER),
        (shares("a", "b"), SpoolRole.COLLECT),
        (shares("b", "a"), SpoolRole.KEEP),
        (shares("b", collected="a"), SpoolRole.KEEP),
        (shares("a", state=DELIVERED), SpoolRole.DELIVER),
        (shares("a", "b", state=DELIVERED), SpoolRole.DELIVER),
        (shares("b", collected="a", state=DELIVERED), SpoolRole.REMOVE),
        (shares("b", state=RecordingState.EMPTY), SpoolRole.REMOVE),
        (shares(state=DELIVERED), SpoolRole.DELIVER),  # of a version that knew no nodes
    ],
)
def test_role_of_a_node(found: RecordingShares | None, role: SpoolRole) -> None:
    assert spool_role(found, "a") is role


def test_only_journals_that_the_home_had_are_removed() -> None:
    found = shares("b", collected="a", state=DELIVERED)
    assert is_removable(found, "a", ONE)
    assert is_removable(found, "a", {})
    assert not is_removable(found, "a", {"0001-12345678": 11})
    assert not is_removable(found, "a", {**ONE, "0002-12345678": 10})
    assert not is_removable(found, "c", ONE)


def test_only_the_home_collects_and_only_what_is_needed() -> None:
    assert after_collection(shares("a", "b"), "a", "b", ONE) == shares("a", collected="b")
    assert after_collection(shares("b", "a"), "a", "b", ONE) is None
    assert after_collection(shares("a", "b"), "a", "c", ONE) is None
    assert after_collection(shares(), "a", "b", ONE) is None


def test_a_node_with_a_further_journal_is_collected_again() -> None:
    assert after_listing(shares("a", collected="b"), "b") == shares("a", "b")
    assert after_listing(shares("a", "b"), "b") == shares("a", "b")
    assert after_listing(shares("a", abandoned="b"), "b") == shares("a", "b")
    assert after_listing(shares(), "b") == shares("b")


def test_the_adopter_takes_the_place_of_the_dead_node() -> None:
    assert after_adoption(shares("a", "b"), "a", "c") == shares("c", "b")
    assert after_adoption(shares("a", "b"), "b", "c") == shares("a", "c")
    assert after_adoption(shares("a", "b"), "a", "b") == shares("b")
    assert after_adoption(shares("a", collected="b"), "a", "b") == shares("b")
    assert after_adoption(shares("a"), "a", "a") == shares("a")
    assert after_adoption(shares(), "a", "c") == shares("c")
    again = after_adoption(after_adoption(shares("a", "b"), "a", "c"), "a", "c")
    assert again == shares("c", "b")


def test_a_home_that_ends_makes_a_running_node_the_home() -> None:
    assert after_succession(shares("a", "b", "c"), "a", "c") == shares("c", "b", "a")
    assert after_succession(shares("a", "c", collected="d"), "a", "cd") == shares("c", "a", "d")
    assert after_succession(shares("a", "c", collected="d"), "a", "c") is None  # d has no journals
    assert after_succession(shares("a", "b"), "a", "c") is None
    assert after_succession(shares("b", "a"), "a", "b") is None
    assert after_succession(shares("a"), "a", "b") is None


def test_a_recording_goes_on_without_a_node() -> None:
    assert after_abandonment(shares("a", "b"), "b", "b") == shares("a", abandoned="b")
    assert after_abandonment(shares("a", "b"), "a", "a") == shares("b", abandoned="a")
    without_home = after_abandonment(shares("a", "b", collected="c"), "a", "a")
    assert without_home == shares("b", "c", abandoned="a")  # the copies at the home are lost
    assert after_abandonment(shares("a"), "a", "a") is None
    assert shares("a").missing == ()
    (sentence,) = shares("a", abandoned="b").missing
    assert "on b is missing" in sentence


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["list", "collect", "adopt", "abandon"]),
        st.sampled_from(NODES),
        st.sampled_from(NODES),
    ),
    max_size=12,
)


@given(STEPS)
def test_no_journal_is_ever_forgotten(steps: list[tuple[str, str, str]]) -> None:
    """Whatever happens in which order, each journal is needed, collected or given up by a person.

    At most one node makes the file at a time, and it does so only once it has all journals.
    """
    state = shares("a")
    disks: dict[str, set[str]] = {"a": {"a"}}  # the journals, by the node where they began
    given_up: set[str] = set()
    for kind, one, other in steps:
        if kind == "list":
            state = after_listing(state, one)
            disks.setdefault(one, set()).add(one)
            given_up.discard(one)
        elif kind == "collect":
            after = after_collection(state, one, other, ONE)
            if after:
                disks[one] |= disks.get(other, set())
            state = after or state
        elif kind == "adopt" and one in disks and one != other and one not in state.collected:
            state = after_adoption(state, one, other)
            disks[other] = disks.get(other, set()) | disks.pop(one)
        elif kind == "abandon" and one in state.nodes:
            after = after_abandonment(state, one, one)
            if after:
                given_up |= disks.pop(one, set())
            state = after or state
        delivering = [n for n in NODES if n in disks and spool_role(state, n) is SpoolRole.DELIVER]
        assert len(delivering) <= 1
        assert state.state in UNDELIVERED
        for home in delivering:
            everywhere = set().union(*disks.values())
            assert everywhere - given_up <= disks[home]
