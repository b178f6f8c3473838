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
    afterwards. What the interpreter runs as a part of an import does not count. `functions` holds
    the names of the functions that were called in each file, for people.
    """

    def __init__(self) -> None:
        self.functions: dict[str, list[str]] = {}
        self._is_recording = False
        threading.setprofile(self._profile)

    @property
    def names(self) -> list[str]:
        return list(self.functions)

    def __str__(self) -> str:
        """Return a line of each file and its functions."""
        return "\n".join(
            f"{number:3} {name}: {', '.join(functions)}"
            for number, (name, functions) in enumerate(self.functions.items(), start=1)
        )

    def close(self) -> None:
        threading.setprofile(None)

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Record what happens inside, until `stop`; forget what was recorded before."""
        self.functions.clear()
        self._is_recording = True
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)
            self.stop()

    def stop(self) -> None:
        """Record nothing of what follows."""
        self._is_recording = False

    def _profile(self, frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if not self._is_recording or event != "call" or code.co_name == "<module>":
            return
        path = Path(code.co_filename)
        if path.is_relative_to(PACKAGE):
            functions = self.functions.setdefault(path.relative_to(PACKAGE).as_posix(), [])
            if code.co_qualname not in functions:
                functions.append(code.co_qualname)
