"""Processes that tests kill again and again, forked from one that has imported all they need.

An import takes longer than the rest of such a life.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final

_CONTEXT: Final = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.archive.serving", "tests.faults.config_api_process"])


class Life:
    """A process that runs a function, whose last argument is a pipe to tell something by."""

    def __init__(self, function: Callable[..., None], *arguments: object) -> None:
        ours, theirs = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=function, args=(*arguments, theirs))
        self._process.start()
        theirs.close()
        self._said: Connection = ours

    def hear(self) -> Any:
        """Wait for what the process tells first."""
        with self._said:
            return self._said.recv()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
