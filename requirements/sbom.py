"""Write a CycloneDX list of every pinned Python and npm package to standard output."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def component(kind: str, name: str, version: str, hashes: list[dict[str, str]]) -> dict[str, Any]:
    purl = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    return {"type": "library", "name": name, "version": version, "purl": purl, "hashes": hashes}


def python_components(pinned: str) -> list[dict[str, Any]]:
    """Read requirements with hashes, as `make lock` writes them."""
    found = list(PINNED.finditer(pinned))
    ends = [match.start() for match in found[1:]] + [len(pinned)]
    return [
        component(
            *("pypi", match[1], match[2]),
            [
                {"alg": "SHA-256", "content": digest}
                for digest in HASH.findall(pinned[match.start() : end])
            ],
        )
        for match, end in zip(found, ends, strict=True)
    ]


def npm_components(lock: dict[str, Any]) -> list[dict[str, Any]]:
    """Read `package-lock.json`; what the pages are built with becomes part of them."""
    found = []
    for path, package in lock["packages"].items():
        if path:
            name = package.get("name") or path.rpartition("node_modules/")[2]
            digest = base64.b64decode(package["integrity"].removeprefix("sha512-")).hex()
            hashes = [{"alg": "SHA-512", "content": digest}]
            found.append(component("npm", name, package["version"], hashes))
    return found


def bill_of_materials() -> dict[str, Any]:
    run = (ROOT / "requirements" / "run.txt").read_text()
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())
    found = python_components(run) + npm_components(lock)
    # npm puts some versions into several directories, and the schema wants each once
    components = list({component["purl"]: component for component in found}.values())
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}


if __name__ == "__main__":
    json.dump(bill_of_materials(), sys.stdout, indent=2)
