"""Look every pinned dependency up in the public lists of advisories; used by `make audit`.

Exits with 0 if all were looked up and none has an advisory, with 1 if one has, and with 3 if some
could not be looked up, such as without internet: then nothing is known of those.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
KINDS: Final = ("run", "build", "test")
FOUND, UNKNOWN = 1, 3
SECONDS: Final = 900


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def answer_of(command: Sequence[str], directory: Path = ROOT) -> tuple[Any, str]:
    """Return the JSON that a program has written, or `None`, and the end of its errors."""
    try:
        done = subprocess.run(  # noqa: S603  our own two programs
            command, cwd=directory, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return None, str(error)
    last = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
    try:
        return json.loads(done.stdout), last[0]
    except ValueError:
        return None, last[0]


def audit_python(program: str, kind: str) -> int:
    """Look up one file of requirements at PyPI's list."""
    options = ("--disable-pip", "--require-hashes", "--progress-spinner", "off", "--timeout", "20")
    command = [program, *options, "-f", "json", "-r", f"requirements/{kind}.txt"]
    answer, error = answer_of(command)
    if answer is None:
        say(f"{kind}: the list of advisories for Python cannot be read: {error}")
        return UNKNOWN
    packages = answer["dependencies"]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    found = [package for package in packages if package.get("vulns")]
    for package in found:
        for advisory in package["vulns"]:
            fixed = ", ".join(advisory["fix_versions"]) or "no version yet"
            name = f"{package['name']} {package['version']}"
            say(f"{kind}: {name} has {advisory['id']}, which is mended in {fixed}")
    known = len(packages) - len(unknown)
    say(f"{kind}: {known} of {len(packages)} packages looked up, {len(found)} with advisories")
    if unknown:
        say(f"{kind}: the list does not answer for {len(unknown)}, such as {unknown[0]}")
    return FOUND if found else UNKNOWN if unknown else 0


def audit_npm(program: str) -> int:
    """Look up the packages that the pages are made with at npm's list."""
    answer, error = answer_of([program, "audit", "--omit=optional", "--json"], ROOT / "web")
    counts = (answer or {}).get("metadata", {}).get("vulnerabilities")
    if counts is None:
        reason = (answer or {}).get("message") or error
        say(f"web: the list of advisories for npm cannot be read: {reason}")
        return UNKNOWN
    for name, package in answer["vulnerabilities"].items():
        say(f"web: {name} has an advisory of severity {package['severity']}")
    say(f"web: {counts['total']} packages with advisories")
    return FOUND if counts["total"] else 0


def main(pip_audit: str, npm: str) -> int:
    results = [*(audit_python(pip_audit, kind) for kind in KINDS), audit_npm(npm)]
    if FOUND in results:
        return FOUND
    if UNKNOWN in results:
        say("Not every dependency could be looked up. Run this where there is internet.")
        return UNKNOWN
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
