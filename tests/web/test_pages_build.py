"""The committed pages are what their sources build to."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import pytest

from tests.npm import installed, npm

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "src" / "visavis" / "web" / "static"

pytestmark = pytest.mark.interop


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_the_build_is_the_committed_one_byte_for_byte(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("node_modules")
    shutil.copytree(ROOT / "web", tmp_path / "web", ignore=ignored)
    (tmp_path / "web" / "node_modules").symlink_to(installed(ROOT / "web") / "node_modules")
    npm(tmp_path / "web", "run", "build")
    built = contents(tmp_path / "src" / "visavis" / "web" / "static")
    assert built == contents(STATIC), "run `make web` and commit what it built"


def test_the_widget_is_small() -> None:
    loader = (STATIC / "widget.js").read_bytes()
    (widget,) = (STATIC / "assets").glob("widget-*.js")
    assert len(loader) < 1024
    assert len(gzip.compress(loader)) + len(gzip.compress(widget.read_bytes())) <= 30 * 1024
