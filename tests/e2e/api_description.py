"""Part of the API's description for the page /docs, which takes seconds to show the whole."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from playwright.sync_api import BrowserContext, Route

SCHEMA = re.compile(r"#/components/schemas/(\w+)")


def shorten_description(context: BrowserContext, paths: Collection[str]) -> None:
    """Let the pages read the description of these paths, with the schemas that they name."""

    def answer(route: Route) -> None:
        route.fulfill(json=part_of(route.fetch().json(), paths))

    context.route("**/v4/openapi.json", answer)


def part_of(description: dict[str, Any], paths: Collection[str]) -> dict[str, Any]:
    """Return the description of some paths and all that they refer to."""
    kept = {path: description["paths"][path] for path in paths}
    schemas = dict(description["components"]["schemas"])
    others = {**description["components"], "schemas": {}}
    needed, named = dict[str, Any](), set(SCHEMA.findall(json.dumps([kept, others])))
    while new := named - needed.keys():
        needed |= {name: schemas[name] for name in new}
        named = set(SCHEMA.findall(json.dumps(needed)))
    return {**description, "paths": kept, "components": {**others, "schemas": needed}}
