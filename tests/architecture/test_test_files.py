"""Each module of the inner packages has a test file of its own name."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rtp", "spool", "outbound", "domain")
NOT_YET = frozenset({"domain/call"})


@pytest.mark.parametrize("package", PACKAGES)
def test_each_module_has_its_test_file(package: str) -> None:
    source, tests = ROOT / "src" / "visavis" / package, ROOT / "tests" / package
    modules = {
        path.relative_to(source)
        for path in source.rglob("*.py")
        if path.name != "__init__.py"
        and not any(f"{package}/{path.relative_to(source)}".startswith(one) for one in NOT_YET)
    }
    lacking = {
        str(module)
        for module in modules
        if not (tests / module.parent / f"test_{module.name}").exists()
    }
    assert modules
    assert lacking == set()
