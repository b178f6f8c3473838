"""The description is true: what it says is what a generator of requests finds."""

from __future__ import annotations

from tests.web.conftest import PATH, Api
from visavis.web.api.openapi import OPERATIONS

DOCUMENT = "/v4/openapi.json"


async def test_everybody_may_read_it(api: Api) -> None:
    document = (await api.client.get(DOCUMENT)).json()
    assert document["openapi"] == "3.1.0"
    described = {
        (path, method.upper()) for path, item in document["paths"].items() for method in item
    }
    assert described == OPERATIONS.keys()
    for scheme in ("bearer", "oauth", "key"):
        assert scheme in document["components"]["securitySchemes"]
    responses = document["paths"][PATH]["put"]["responses"]
    assert {"200", "400", "401", "403", "412", "413", "415", "429", "500"} <= responses.keys()
