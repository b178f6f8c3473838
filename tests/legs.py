"""The legs of a bridge of two, as most tests have it."""

from __future__ import annotations

from visavis.domain.leg import AGENT_LEG, VISITOR_LEG

LEGS = (VISITOR_LEG, AGENT_LEG)


def other(leg: int) -> int:
    return AGENT_LEG if leg == VISITOR_LEG else VISITOR_LEG
