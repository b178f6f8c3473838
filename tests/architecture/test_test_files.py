"""Each module of the inner packages has a test file of its own name."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rtp", "spool", "outbound", "domain", "services")
NOT_YET = (
    "domain/call",
    "domain/distribution",
    "domain/text",
    "services/calls",
    "services/missed_call_messages",
    "services/ports",
)
"""Beginnings of the paths of modules without one: the call's, and the ports, which do nothing."""


@pytest.mark.parametrize("package", PACKAGES)
def test_each_module_has_its_test_file(package: str) -> None:
    source, tests = ROOT / "src" / "visavis" / package, ROOT / "tests" / package
    modules = {
        path.relative_to(source)
        for path in source.rglob("*.py")
        if path.name != "__init__.py"
        and not any(f"{package}/{path.relative_to(source)}".startswith(one) for one in NOT_YET)
    }
    lacking = {str(one) for one in modules if not list(tests.rglob(f"test_{one.name}"))}
    assert modules
    assert lacking == set()
