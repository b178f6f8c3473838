"""Every query on a table that belongs to sites names the site, or says here why not."""

from __future__ import annotations

import ast
from pathlib import Path

import visavis.store.rows

FREE = {
    "Sites.exists": "asks for the site itself",
    "Agents.by_email": "signing in: the e-mail address tells the site",
    "Credentials.find": "a token's digest is unguessable and tells the site",
    "Credentials.delete": "a token's digest is unguessable and tells the site",
    "Calls.close_open": "start-up: the process that held every site's calls is dead",
}


def methods() -> dict[str, ast.FunctionDef]:
    tree = ast.parse(Path(visavis.store.rows.__file__).read_text())
    return {
        f"{node.name}.{item.name}": item
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name not in {"Rows", "SqlTransaction"}
        for item in node.body
        if isinstance(item, ast.FunctionDef)
    }


def test_every_query_names_its_site() -> None:
    nameless = {name for name, body in methods().items() if "site_id" not in ast.unparse(body)}
    assert nameless <= FREE.keys()


def test_the_exceptions_are_still_needed() -> None:
    assert FREE.keys() <= methods().keys()
