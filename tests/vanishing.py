"""Files that are removed by somebody else between being listed and being looked at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def remove_at_first_look(monkeypatch: pytest.MonkeyPatch, path: Path) -> Callable[[], bool]:
    """Remove `path` just before its times are read or it is opened; whether that has happened."""
    real_stat = os.stat

    def remove(target: Any) -> None:
        if str(target) == str(path) and os.path.lexists(path):
            if os.path.isdir(path):  # noqa: PTH112  Path would look again
                shutil.rmtree(path)
            else:
                path.unlink()

    def stat(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        remove(self)
        return real_stat(self, follow_symlinks=follow_symlinks)

    def opened(self: Path, *arguments: Any, **options: Any) -> Any:
        remove(self)
        return open(self, *arguments, **options)  # noqa: PTH123

    monkeypatch.setattr(Path, "stat", stat)
    monkeypatch.setattr(Path, "open", opened)
    return lambda: not os.path.lexists(path)
