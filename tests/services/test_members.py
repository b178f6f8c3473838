"""A process reports itself to the other members and hears of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tests.services.site import NOW
from visavis.domain.membership import Member, MemberLoad, MemberState
from visavis.services.members import Members

ME = Member("me", "boot", NOW, "1.0", "machine", "http://me", ("app",))


def test_a_report_has_the_present_load_and_state() -> None:
    members = Members(ME, lambda: MemberLoad(calls=3), lambda: 0.0)
    assert members.report() == replace(ME, load=MemberLoad(calls=3))
    members.drain()
    assert members.report().state is MemberState.DRAINING


def test_the_members_that_are_alive() -> None:
    now = [0.0]
    members = Members(ME, MemberLoad, lambda: now[0])
    assert members.alive == []
    other = replace(ME, node_id="other")
    for beat in range(5):
        now[0] = beat
        members.observe([replace(ME, beat=beat), other])
    assert [member.node_id for member in members.alive] == ["me"]
    assert members.known == {"me", "other"}
    members.observe([ME, replace(other, state=MemberState.STOPPED)])
    assert members.known == {"me"}


def test_a_media_node_is_no_owner_of_sites() -> None:
    members = Members(ME, MemberLoad, lambda: 0.0)
    members.observe([ME, replace(ME, node_id="media", roles=("media", "recorder"))])
    assert [member.node_id for member in members.alive] == ["me"]
    assert members.known == {"me"}


class Counter:
    """Counts of one limit."""

    def __init__(self, counts: dict[str, float]) -> None:
        self.counts = counts
        self.elsewhere: Mapping[str, float] = {}

    def busiest(self) -> Mapping[str, float]:
        return self.counts


def test_the_counts_of_limits_are_told_and_heard() -> None:
    now = [0.0]
    first, second = Counter({"one": 1}), Counter({"two": 2})
    members = Members(ME, MemberLoad, lambda: now[0], (first, second))
    assert members.report().counts == {"one": 1, "two": 2}
    other = replace(ME, node_id="other", counts={"one": 5.0})
    members.observe([members.report(), other])
    assert first.elsewhere == second.elsewhere == {"one": 5.0}
    for now[0] in (1.0, 2.0, 3.0):  # the other one is dead
        members.observe([replace(ME, beat=int(now[0])), other])
    assert first.elsewhere == {}


def test_the_counts_of_others_are_forgotten_while_nothing_is_heard() -> None:
    counter = Counter({})
    members = Members(ME, MemberLoad, lambda: 0.0, (counter,))
    members.observe([ME, replace(ME, node_id="other", counts={"one": 5.0})])
    assert counter.elsewhere == {"one": 5.0}
    members.forget_counts()
    assert counter.elsewhere == {}
