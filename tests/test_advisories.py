"""`make audit` never calls a dependency good that it could not look up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
GOOD = {"dependencies": [{"name": "a", "version": "1", "vulns": []}], "fixes": []}
BAD = {
    "dependencies": [
        {"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
    ]
}
SKIPPED = {"dependencies": [{"name": "a", "skip_reason": "Dependency not found on PyPI"}]}
NPM_GOOD = {"vulnerabilities": {}, "metadata": {"vulnerabilities": {"total": 0}}}
NPM_BAD = {
    "vulnerabilities": {"b": {"severity": "high"}},
    "metadata": {"vulnerabilities": {"total": 1}},
}
NPM_REFUSED = {"message": "405 Method Not Allowed", "error": {"summary": "", "detail": ""}}


def program(path: Path, answer: Any, code: int) -> str:
    """A program that prints this as JSON."""
    said = "" if answer is None else json.dumps(answer)
    path.write_text(f"#!/bin/sh\necho 'no network' >&2\ncat <<'END'\n{said}\nEND\nexit {code}\n")
    path.chmod(0o700)
    return str(path)


@pytest.mark.parametrize(
    ("python", "npm", "code", "words"),
    [
        (GOOD, NPM_GOOD, 0, "run: 1 of 1 packages looked up, 0 with advisories"),
        (BAD, NPM_GOOD, 1, "run: a 1 has CVE-1, which is mended in 2"),
        (GOOD, NPM_BAD, 1, "web: b has an advisory of severity high"),
        (SKIPPED, NPM_GOOD, 3, "the list does not answer for 1, such as a"),
        (SKIPPED, NPM_BAD, 1, "does not answer"),
        (None, NPM_GOOD, 3, "cannot be read: no network"),
        (GOOD, NPM_REFUSED, 3, "cannot be read: 405 Method Not Allowed"),
        (GOOD, None, 3, "Run this where there is internet."),
    ],
)
def test_its_end_tells_what_was_found(
    tmp_path: Path, python: Any, npm: Any, code: int, words: str
) -> None:
    tools = program(tmp_path / "pip-audit", python, 1), program(tmp_path / "npm", npm, 1)
    script = ROOT / "requirements" / "advisories.py"
    done = subprocess.run(
        [sys.executable, script, *tools], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (code, "")
    assert words in done.stdout
