from __future__ import annotations

from visavis.domain.leg import AGENT_LEG, ROLES, VISITOR_LEG, BridgeId, CallRole, Candidate


def test_a_bridge_of_two_joins_a_visitor_and_an_agent() -> None:
    assert ROLES == {VISITOR_LEG: CallRole.VISITOR, AGENT_LEG: CallRole.AGENT}


def test_a_bridge_is_named_by_its_call_and_number() -> None:
    assert str(BridgeId("c", 2)) == "c-2"
    assert len({BridgeId("c", 1), BridgeId("c", 1), BridgeId("c", 2)}) == 2


def test_a_candidate_is_of_udp_unless_told() -> None:
    assert Candidate("192.0.2.1", 5000).protocol == "udp"
