from __future__ import annotations

from visavis.domain.leg import BridgeId, Candidate, Side


def test_each_side_has_the_other() -> None:
    assert [side.other for side in Side] == [Side.AGENT, Side.VISITOR]


def test_a_bridge_is_named_by_its_call_and_number() -> None:
    assert str(BridgeId("c", 2)) == "c-2"
    assert len({BridgeId("c", 1), BridgeId("c", 1), BridgeId("c", 2)}) == 2


def test_a_candidate_is_of_udp_unless_told() -> None:
    assert Candidate("192.0.2.1", 5000).protocol == "udp"
