"""The log as programs read it, and as a person at a terminal does."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from visavis.cli.logs import log_to_stderr
from visavis.log_lines import is_for_people, text_line

AT = "2026-01-01T00:00:00Z"


@contextmanager
def terminal() -> Iterator[io.TextIOWrapper]:
    main, side = os.openpty()
    with os.fdopen(main, "rb"), os.fdopen(side, "w") as stream:
        yield stream


def test_a_terminal_gets_text_and_everything_else_json() -> None:
    with terminal() as stream:
        assert is_for_people("auto", stream)
        assert not is_for_people("json", stream)
    assert not is_for_people("auto", io.StringIO())
    assert is_for_people("text", io.StringIO())


def test_a_line_for_people() -> None:
    line = text_line(
        {"event": "part died", "level": "error", "timestamp": AT, "part": "app", "why": "no disk"}
    )
    assert line[8:] == " error   part died                part=app why='no disk'"


def test_a_traceback_stands_below_its_line() -> None:
    fields = {
        "event": "x",
        "level": "error",
        "timestamp": AT,
        "exception": "Traceback\n  ValueError",
    }
    assert text_line(fields).splitlines()[1:] == ["    Traceback", "      ValueError"]


@pytest.mark.parametrize("evil", ["\x1b[2J", "a\nb", "\x9b31m", "\udcff", "\u202e"])
def test_nothing_that_somebody_else_wrote_commands_the_terminal(evil: str) -> None:
    line = text_line({"event": evil, "level": "info", "timestamp": AT, "name": evil, evil: 1})
    assert line.isprintable()


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_our_loggers_and_other_libraries_write_one_format(
    log_format: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    try:
        log_to_stderr("info", log_format)
        structlog.get_logger("visavis").info("call", state="ringing")
        logging.getLogger("library").warning("careful")
    finally:
        monkeypatch.undo()
        logging.basicConfig(force=True)
    ours, theirs = written.getvalue().splitlines()
    if log_format == "json":
        assert json.loads(ours)["state"] == "ringing"
        assert json.loads(theirs)["event"] == "careful"
    else:
        assert ours.endswith("info    call                     state=ringing")
        assert theirs.endswith("warning careful")
