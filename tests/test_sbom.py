"""The software bill of materials (SBOM)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_every_pinned_package_is_listed_with_its_hash() -> None:
    # here, since their imports take seconds of each process that collects the tests
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    script = ROOT / "requirements" / "sbom.py"
    written = subprocess.run([sys.executable, script], capture_output=True, check=True).stdout
    listed = json.loads(written)
    assert listed["bomFormat"] == "CycloneDX"
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(written.decode()) is None
    names = {component["name"] for component in listed["components"]}
    assert {"starlette", "lit", "pylibsrtp"} <= names
    assert all(component["hashes"] for component in listed["components"])
