"""The processes of `visavis serve`, one for each part.

A process imports only its own part: it starts sooner, and a media worker does not load the database
code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from visavis.lifecycle import Lifecycle
from visavis.settings import MEDIA_PART, Settings

Run = Callable[[Settings, Lifecycle], Awaitable[None]]


def process_main(part: str) -> Run:
    """Return the main function of a part; raises `KeyError` for an unknown part."""
    if part.startswith(MEDIA_PART):
        return _media_worker(int(part.removeprefix(MEDIA_PART)))
    return {"app": _app, "recorder": _recorder}[part]()


def _media_worker(number: int) -> Run:
    from visavis.media_process import run_media_worker

    return lambda settings, lifecycle: run_media_worker(settings, number, lifecycle)


def _recorder() -> Run:
    from visavis.recorder_process import run_recorder

    return run_recorder


def _app() -> Run:
    from visavis.app import run_app

    return run_app
