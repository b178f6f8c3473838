"""The report of coverage counts what any worker has run, and knows a package from the whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import line_coverage
from tests.probes import SOURCE


def worker(executed: list[int], missing: list[int]) -> dict[str, Any]:
    """Return what one worker writes: these lines of one module, and all of another one."""
    files = {
        str(SOURCE / "domain" / "one.py"): (executed, missing),
        str(SOURCE / "web" / "other.py"): ([1], []),
    }
    return {
        "meta": {"software": "slipcover", "branch_coverage": True, "show_contexts": False},
        "files": {
            path: {
                "executed_lines": lines,
                "missing_lines": rest,
                "executed_branches": [],
                "missing_branches": [],
            }
            for path, (lines, rest) in files.items()
        },
    }


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(line_coverage, "DIRECTORY", tmp_path)
    return tmp_path


def test_lines_count_that_any_worker_has_run(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (directory / "gw0.json").write_text(json.dumps(worker([1, 2], [3, 4])))
    (directory / "gw1.json").write_text(json.dumps(worker([1, 3], [2, 4])))
    assert line_coverage.main(["report", "--at-least=75", "domain"]) == 0
    assert line_coverage.main(["report", "--at-least=76", "domain"]) == 1
    assert line_coverage.main(["report", "--at-least=100", "web"]) == 0
    assert line_coverage.main(["report", "--at-least=80", ""]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith("TOTAL")] == [
        *("TOTAL 75%", "TOTAL 75%"),
        *("TOTAL 100%", "TOTAL 80%"),
    ]


def test_nothing_was_measured(directory: Path) -> None:
    with pytest.raises(SystemExit, match="Nothing was measured"):
        line_coverage.main(["report", "domain"])
