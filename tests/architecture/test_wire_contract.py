"""Use cases take and return domain values: the wire is the protocol's."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SERVICES: Final = ROOT / "src" / "visavis" / "services"
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
    """They publish signalling messages; bodies are made of their results, further out."""
    allowed = {"visavis.protocol", "visavis.protocol.signaling"}
    for path in SERVICES.rglob("*.py"):
        found = {name for name in imported(path) if name.startswith("visavis.protocol")}
        assert found <= allowed, path
