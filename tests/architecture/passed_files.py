"""Files of ours that something runs through, from its beginning to its end."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import visavis

PACKAGE = Path(visavis.__file__).resolve().parent


class PassedFiles:
    """Records the files whose functions are called, in order, by this thread and later ones.

    Make it before the threads that take part: `threading.setprofile` sees only those that start
    afterwards. What the interpreter runs as a part of an import does not count.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self._is_recording = False
        threading.setprofile(self._profile)

    def close(self) -> None:
        threading.setprofile(None)

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record what happens inside; forget what was recorded before."""
        self.names.clear()
        self._is_recording = True
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            self._is_recording = False

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        if not self._is_recording or event != "call" or frame.f_code.co_name == "<module>":
            return
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE):
            name = path.relative_to(PACKAGE).as_posix()
            if name not in self.names:
                self.names.append(name)
