"""Use cases take and return domain values; every answer is a body of the protocol."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SERVICES: Final = ROOT / "src" / "visavis" / "services"
OUTER: Final = [ROOT / "src" / "visavis" / name for name in ("web", "archive")]
ENCODERS: Final = {"json", "msgspec"}


def imported(path: Path) -> set[str]:
    names = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_no_use_case_encodes() -> None:
    encoding = {
        str(path.relative_to(SERVICES))
        for path in SERVICES.rglob("*.py")
        if any(name.partition(".")[0] in ENCODERS for name in imported(path))
    }
    assert not encoding


def test_use_cases_know_no_body_of_the_api() -> None:
    """Use cases send messages to pages and nodes; `web` makes bodies of their results."""
    allowed = {"visavis.protocol", "visavis.protocol.signaling", "visavis.protocol.cluster"}
    for path in SERVICES.rglob("*.py"):
        found = {name for name in imported(path) if name.startswith("visavis.protocol")}
        assert found <= allowed, path


def test_no_answer_is_a_mapping() -> None:
    """Every answer in JSON is encoded from a struct; the OpenAPI document is made of them all."""
    encoding = {
        path.relative_to(package.parent).as_posix()
        for package in OUTER
        for path in package.rglob("*.py")
        if re.search(r"\bJSONResponse\b|json\.encode\(\s*\{", path.read_text())
    }
    assert encoding == {"web/description/document.py"}
