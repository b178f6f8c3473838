"""Query of a request."""

from __future__ import annotations

from starlette.requests import Request

from visavis.protocol.query import Query


def query_of(request: Request) -> Query:
    return Query(request.query_params.multi_items())
