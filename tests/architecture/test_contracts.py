"""The import contracts hold, and each of them bites when it is broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"


def lint(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINT_IMPORTS, "--no-cache"],
        cwd=project,
        env={"PYTHONPATH": str(project / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("static"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_contracts_hold(copy: Path) -> None:
    result = lint(copy)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("domain/config.py", "import visavis.services.calls"),
        ("services/presence.py", "import visavis.web.signaling"),
        ("recorder/__init__.py", "import visavis.archive"),
        ("media/control_protocol.py", "import visavis.app"),
        ("web/routes.py", "import visavis.compose"),
        ("readiness.py", "import visavis.compose"),
        ("rtp/packet.py", "import os"),
        ("spool/reader.py", "import visavis.recorder.jobs"),
        ("outbound/http.py", "import visavis.recorder.jobs"),
        ("domain/call/step.py", "import time"),
        ("services/presence.py", "import starlette.routing"),
        ("archive/object_uploads.py", "import botocore.session"),
        ("bus/local.py", "import nats"),
    ],
)
def test_contracts_bite(copy: Path, module: str, line: str) -> None:
    broken = copy / "src/visavis" / module
    broken.write_text(f"{broken.read_text()}\n{line}\n")

    result = lint(copy)

    assert result.returncode == 1
    assert "BROKEN" in result.stdout


def test_a_new_room_must_be_named(copy: Path) -> None:
    (copy / "src/visavis/attic.py").write_text('"""Where does this belong?"""\n')

    assert lint(copy).returncode == 1
