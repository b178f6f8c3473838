"""The processes of `visavis serve`, one for each part.

A process imports only its own part: it starts sooner, and a media worker does not load the database
code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from visavis.lifecycle import Lifecycle
from visavis.settings import MEDIA_PART, Settings, app_number

Run = Callable[[Settings, Lifecycle], Awaitable[None]]


def process_main(part: str) -> Run:
    """Return the main function of a part; raises `KeyError` for an unknown part."""
    if part.startswith(MEDIA_PART):
        return _media_worker(int(part.removeprefix(MEDIA_PART)))
    if (number := app_number(part)) is not None:
        return _app(number)
    return {"recorder": _recorder}[part]()


def _media_worker(number: int) -> Run:
    from visavis.media_process import run_media_worker

    return lambda settings, lifecycle: run_media_worker(settings, number, lifecycle)


def _recorder() -> Run:
    from visavis.recorder_process import run_recorder

    return run_recorder


def _app(number: int) -> Run:
    from visavis.app import run_app

    return lambda settings, lifecycle: run_app(settings, lifecycle, number)
