"""The query of a request, and times as they stand on the wire."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request

from visavis.protocol.query import Query


def query_of(request: Request) -> Query:
    return Query(request.query_params.multi_items())


def format_time(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
