"""A process reports itself to the other members and hears of them."""

from __future__ import annotations

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
