"""Each module of the inner packages has a test file of its own name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rtp", "spool", "outbound", "domain", "services")
PORTS = "services/ports.py"
"""Protocols: their methods have no bodies."""


def does_something(path: Path) -> bool:
    """Whether the module has a function or a method: data alone need no test."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for node in nodes)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_module_has_its_test_file(package: str) -> None:
    source, tests = ROOT / "src" / "visavis" / package, ROOT / "tests" / package
    modules = {
        path.relative_to(source)
        for path in source.rglob("*.py")
        if path.name != "__init__.py" and does_something(path) and not path.match(PORTS)
    }
    lacking = {str(one) for one in modules if not list(tests.rglob(f"test_{one.name}"))}
    assert modules
    assert lacking == set()


def test_no_coverage_is_measured_here(request: pytest.FixtureRequest) -> None:
    assert request.node.get_closest_marker("no_cover"), "measuring takes a third as long again"
