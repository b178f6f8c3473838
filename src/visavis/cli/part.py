"""`visavis part`, by which `visavis serve` starts its parts."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, Final

import click
import structlog
import uvloop

from visavis.cli.logs import log_to_stderr
from visavis.domain.errors import UnusableDatabaseError
from visavis.lifecycle import Lifecycle
from visavis.log_stream import protect_standard_streams
from visavis.processes import process_main
from visavis.settings import MEDIA_PART, app_number, decode_settings
from visavis.supervisor import CANNOT_START, run_part
from visavis.tasks import describe

SWITCH_SECONDS: Final = 0.0005


@click.command(hidden=True)
@click.argument("name")
def part(name: str) -> None:
    """One part of `visavis serve`, which starts it."""
    settings = decode_settings(_read_line())
    reports = _redirect_standard_output()
    protect_standard_streams("stdout", "stderr")
    log_to_stderr(settings.log_level, settings.log_format)
    structlog.contextvars.bind_contextvars(part=name)
    run, lifecycle = process_main(name), Lifecycle()
    lifecycle.report_to(reports)
    try:
        _loop_of(name)(run_part(lifecycle, lambda: run(settings, lifecycle)))
    except UnusableDatabaseError as error:
        click.echo(f"visavis: The database cannot be used: {error}.", err=True)
        sys.exit(CANNOT_START)
    except OSError as error:
        lifecycle.report_death(describe(error))
        click.echo(f"visavis: {error.strerror or error}", err=True)
        # an error after the start must not stop the other parts: this one is restarted
        sys.exit(1 if lifecycle.is_up else CANNOT_START)


def _read_line() -> bytes:
    """Read the first line of standard input, and nothing of what follows.

    A buffered reader would also take the supervisor's next requests from the pipe, and lose them.
    """
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as pipe:
        return pipe.readline()


def _redirect_standard_output() -> int:
    """Reserve the pipe to the supervisor for reports; redirect other output to standard error."""
    output = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return output


def _loop_of(name: str) -> Callable[[Coroutine[Any, Any, None]], None]:
    """uvloop halves what a message costs the app, and saves a media worker a tenth of a call."""
    is_app = app_number(name) is not None
    if not (is_app or name.startswith(MEDIA_PART)):
        return asyncio.run
    if is_app:
        # otherwise messages wait up to 5 ms for the database's thread, several times in each call
        sys.setswitchinterval(SWITCH_SECONDS)
    return uvloop.run
