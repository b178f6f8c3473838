"""A log whose reader is slow or gone blocks and fails nothing."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from structlog.testing import capture_logs

from tests import http_clients
from tests.dying import dies_once
from tests.running import PATIENCE, VISAVIS, children, eventually, free_media_port, free_port
from visavis import log_stream, tasks
from visavis.log_stream import LogStream
from visavis.recorder import mux_pool
from visavis.supervisor import OwnReport

pytestmark = pytest.mark.anyio

LINE = b"x" * 999 + b"\n"
WRITTEN = 3000


def holds(question: Callable[[], bool]) -> None:
    eventually(question, pause=0.005)


class Reader:
    """The other end of a pipe, which reads only when the test says so."""

    def __init__(self) -> None:
        self.end, write_end = os.pipe()
        os.set_blocking(self.end, False)
        self.stream = LogStream(write_end)
        self.seen = b""

    def has_read_all(self) -> bool:
        """Read the available data; return whether no data are left."""
        is_drained = not self.stream._lines
        try:
            self.seen += os.read(self.end, 1024 * 1024)
        except BlockingIOError:
            return is_drained
        return False

    def reported(self) -> int:
        """Return the number of missing lines that the lines in between report."""
        return sum(map(int, re.findall(rb'"log lines dropped".*?"count":(\d+)', self.seen)))


def test_lines_arrive_in_order() -> None:
    reader = Reader()
    for piece in (b"one\ntw", b"o\n", b"three"):
        reader.stream.write(piece)
    reader.stream.drain()
    holds(reader.has_read_all)
    assert reader.seen == b"one\ntwo\nthree"
    assert reader.stream.dropped == 0


def test_a_reader_that_stalls_blocks_nobody_and_hears_how_much_it_missed() -> None:
    reader = Reader()
    for _ in range(WRITTEN):
        reader.stream.write(LINE)  # the pipe takes 64 KiB, and 1 MiB is kept
    assert reader.stream.dropped > 0
    # also if nothing more is written
    holds(lambda: reader.has_read_all() and reader.reported() == reader.stream.dropped)
    assert reader.seen.count(LINE) + reader.stream.dropped == WRITTEN
    reader.stream.write(b"again\n")
    holds(lambda: reader.has_read_all() and reader.seen.endswith(b"again\n"))


def test_a_report_stands_where_the_lines_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_stream, "MAX_WAITING_BYTES", 3)
    reader = Reader()
    fcntl.fcntl(reader.end, fcntl.F_SETPIPE_SZ, 4096)
    reader.stream.write(b"x" * 4096)  # a line without an end that becomes too long
    assert reader.stream._unfinished == b""
    os.write(reader.stream.fileno(), b"-" * 4096)  # the pipe is full
    for line in (b"1\n", b"22\n", b"3\n", b"4\n"):
        reader.stream.write(line)
    holds(lambda: reader.has_read_all() and reader.reported() == reader.stream.dropped == 3)
    reader.stream.write(b"5\n")
    holds(lambda: reader.has_read_all() and reader.seen.endswith(b"5\n"))
    lines = reader.seen.removeprefix(b"-" * 4096).splitlines()
    assert lines[0] == b"1"
    assert b'"count":3' in lines[1]
    assert lines[2:] == [b"5"]


def test_a_reader_that_died_fails_nothing() -> None:
    reader = Reader()
    os.close(reader.end)
    for _ in range(3):
        reader.stream.write(LINE)
    holds(lambda: reader.stream.dropped == 3)
    reader.stream.write(LINE)
    holds(lambda: reader.stream.dropped == 4)


def test_a_disk_that_was_full_misses_whole_lines_and_their_count(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    room = 5
    real = os.write

    def write(descriptor: int, data: memoryview) -> int:
        nonlocal room
        if not room:
            raise OSError(28, "No space left on device")
        written = real(descriptor, data[:room])
        room -= written
        return written

    monkeypatch.setattr(os, "write", write)
    with (tmp_path / "log").open("wb") as file:
        stream = LogStream(file.fileno())
        stream.write(b"one\ntwo\n")
        holds(lambda: stream.dropped == 2)
        room = 1000
        stream.write(b"three\n")
        holds(lambda: not stream._lines)
    one, torn, report, three = (tmp_path / "log").read_bytes().splitlines()
    assert (one, torn, three) == (b"one", b"t", b"three")
    assert b'"count":2' in report


def test_a_pipe_that_somebody_made_non_blocking_is_written_all_the_same() -> None:
    reader = Reader()
    os.set_blocking(reader.stream.fileno(), False)
    for _ in range(500):
        reader.stream.write(LINE)
    holds(reader.has_read_all)
    assert reader.seen == LINE * 500


def test_the_thread_that_writes_dies_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    with dies_once("log writing", LogStream, "_write"):
        reader = Reader()
        reader.stream.write(b"one\n")
        holds(lambda: reader.has_read_all() and reader.seen == b"one\n")
    tasks.MONITOR.problems.pop("log writing", None)


async def test_output_of_a_muxer_is_read_on_after_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    output = asyncio.StreamReader()
    output.feed_data(b"a warning of libav\n")
    output.feed_eof()
    with dies_once("muxer output", output, "read"), capture_logs() as logs:
        await tasks.run_until_done("muxer output", lambda: mux_pool.log_output(output))
    assert [entry["output"] for entry in logs if "output" in entry] == ["a warning of libav"]


async def test_the_supervisor_reports_on_itself_after_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("visavis.supervisor.REPORT_SECONDS", 0.01)
    is_told = asyncio.Event()
    report = OwnReport(is_told.set)
    with dies_once("supervisor status", report, "report"):
        task = report.start()
        await asyncio.wait_for(is_told.wait(), PATIENCE)
    assert report.state.status.failures["supervisor status"] >= 1
    await tasks.cancelled(task)


def test_a_process_ends_although_nobody_reads_its_output() -> None:
    program = """
import sys
from visavis.log_stream import protect_standard_streams, dropped_lines
protect_standard_streams("stdout", "stderr")
protect_standard_streams("stdout", "stderr")
for _ in range(3000):
    print("x" * 1000)
    print("y" * 1000, file=sys.stderr)
assert dropped_lines() > 3000
raise SystemExit(7)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    began = time.monotonic()
    assert process.wait(PATIENCE) == 7, time.monotonic() - began
    process.communicate()


def test_lines_of_a_process_are_there_when_it_ends() -> None:
    program = """
from visavis.log_stream import protect_standard_streams
protect_standard_streams("stdout", "stderr")
print("out")
raise ValueError("the last words")
"""
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert told.stdout == "out\n"
    assert "ValueError: the last words" in told.stderr


def test_no_file_takes_the_number_of_a_closed_standard_error(tmp_path: Path) -> None:
    program = """
import os, sys
from visavis.log_stream import open_standard_descriptors, protect_standard_streams
open_standard_descriptors()
protect_standard_streams("stdout", "stderr")
print("lost")
assert sys.stdin.read() == ""
with open("file", "w") as file:
    os.write(2, b"from a library")
    assert file.fileno() > 2
"""
    command = ["sh", "-c", 'exec "$0" "$@" <&- >&- 2>&-', sys.executable, "-c", program]
    assert subprocess.run(command, check=False, cwd=tmp_path).returncode == 0
    assert (tmp_path / "file").read_text() == ""


class Product:
    """`visavis serve` with both outputs redirected to where the test wants them."""

    def __init__(self, data: Path, stdout: int | None, stderr: int | None) -> None:
        self.port = free_port()
        command = [VISAVIS, "serve", "--data", str(data), "--port", str(self.port)]
        command += ["--media-port", str(free_media_port()), "--media-workers", "1"]
        command += ["--rate-limit", "0"]
        if stdout is None:
            command = ["sh", "-c", 'exec "$0" "$@" >&- 2>&-', *command]
        self.process = subprocess.Popen(command, stdout=stdout, stderr=stderr)

    def ask(self, path: str) -> httpx2.Response | None:
        try:
            return http_clients.get(f"http://127.0.0.1:{self.port}{path}")
        except httpx2.TransportError:
            assert self.process.poll() is None, "it has ended"
            return None

    def is_ready(self) -> bool:
        return getattr(self.ask("/readyz"), "status_code", 0) == 200

    def dropped(self) -> float:
        response = self.ask("/metrics")
        assert response
        found = re.search(r"^visavis_log_lines_dropped (\S+)", response.text, re.MULTILINE)
        assert found
        return float(found[1])

    def parts(self) -> dict[str, int]:
        """Return the process of each part."""
        found = {}
        for pid in children(self.process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_text().rstrip("\0").split("\0")
            found[command[-1]] = pid
        return found


@contextmanager
def running(data: Path, stdout: int | None, stderr: int | None) -> Iterator[Product]:
    product = Product(data, stdout, stderr)
    try:
        yield product
    finally:
        product.process.send_signal(signal.SIGTERM)
        code = product.process.wait(PATIENCE)
    assert code == 0


def log_everywhere(product: Product, times: int) -> None:
    """Let every part and the supervisor log a line this many times, and the app one per request."""
    for _ in range(times):
        product.process.send_signal(signal.SIGHUP)
        time.sleep(0.005)


def test_a_product_works_on_while_the_reader_of_its_log_stalls(tmp_path: Path) -> None:
    output, write_end = os.pipe()
    fcntl.fcntl(output, fcntl.F_SETPIPE_SZ, 4096)  # 16 lines would fill it
    with running(tmp_path / "data", write_end, write_end) as product:
        os.close(write_end)
        os.read(output, 4096)  # the password
        eventually(product.is_ready)
        parts = product.parts()
        assert set(parts) == {"app", "recorder", "media-0"}
        # a pipe that is full: each part writes to it more than once
        log_everywhere(product, 50)
        assert product.is_ready()
        assert product.parts() == parts
        os.close(output)  # the reader dies
        log_everywhere(product, 20)
        # the lines of all four processes
        eventually(lambda: product.dropped() >= 4 * 20)
        assert product.is_ready()
        assert product.parts() == parts


def test_a_product_runs_with_closed_outputs(tmp_path: Path) -> None:
    with running(tmp_path / "data", None, None) as product:
        eventually(product.is_ready)


def test_a_product_starts_although_nobody_reads_the_password(tmp_path: Path) -> None:
    output, write_end = os.pipe()
    os.close(output)
    with running(tmp_path / "data", write_end, write_end) as product:
        os.close(write_end)
        eventually(product.is_ready)
