"""A router over a table of routes, without limits and without a log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.requests import Request

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import Agent
from visavis.protocol.routes import Access, Caller, Gate, Route
from visavis.web.request import AccessLog
from visavis.web.router import RateLimit, RequestLimits, Router


async def admit_nobody(_: Request, __: Access) -> Agent:
    raise VisavisError(ErrorKind.Unauthorized)


def routed(
    routes: Iterable[Route], gates: Mapping[Caller, Gate], agents: Gate = admit_nobody
) -> Router:
    """Return the application; `agents` is the gate of agents."""
    return Router(
        routes, {Caller.AGENT: agents, **gates}, AccessLog(None), RateLimit(RequestLimits())
    )
