"""The parts of `visavis serve`, each a process of its own.

A part imports itself alone: it starts sooner, and a media worker has no database in its memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from visavis.lifecycle import Lifecycle
from visavis.settings import MEDIA_PART, Settings

Run = Callable[[Settings, Lifecycle], Awaitable[None]]


def process_main(part: str) -> Run:
    """Return the main function of a process; raises `KeyError` if there is no such process."""
    if part.startswith(MEDIA_PART):
        return _media_worker(int(part.removeprefix(MEDIA_PART)))
    return {"app": _app, "recorder": _recorder}[part]()


def _media_worker(number: int) -> Run:
    from visavis.media import worker

    return lambda settings, lifecycle: worker.run(
        settings, number, lifecycle.stop, lifecycle.set_up
    )


def _recorder() -> Run:
    from visavis.recorder_process import run_recorder

    return run_recorder


def _app() -> Run:
    from visavis.app import run_app

    return run_app
