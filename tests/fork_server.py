"""A process that has imported the product and forks `visavis serve` on request.

Importing is most of what a start takes: the four processes of a system need 4 seconds of a
processor for it. Everything after the imports runs as it does in a started process: the options,
the environment, the supervisor and its parts, which are processes of their own and can be killed.

`tests.running` asks for the processes; `python -m tests.fork_server FD` serves them on a socket.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import ctypes
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

ROOT: Final = Path(__file__).resolve().parent.parent
PRELOADED: Final = (
    "alembic.command",
    "nats.aio.client",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "uvicorn.protocols.http.h11_impl",
    "visavis.app",
    "visavis.bus.nats",
    "visavis.cli.archive",
    "visavis.cli.part",
    "visavis.cli.serve",
    "visavis.media_process",
    "visavis.recorder.mux.worker",
    "visavis.recorder_process",
)
MAX_REQUEST_BYTES: Final = 64 * 1024
FORKED: Final = (["-m", "visavis", "part"], ["-m", "visavis.recorder.mux.worker"])
"""Options of the processes that a process forks, too."""
ROOM_FOR_NAMES: Final = "-" * 1024
"""An argument of the server, in whose memory its processes write their own commands."""


class ForkedProcess:
    """A process of the fork server, with the part of `subprocess.Popen` that tests use."""

    def __init__(self, said: socket.socket, pipe: int | None = None) -> None:
        self._said = said
        self._input = pipe
        self.pid = int(said.recv(32))
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._await_end(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._await_end(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def tell(self, text: bytes) -> None:
        """Write to the standard input of the process."""
        assert self._input
        os.write(self._input, text)

    def stop(self, timeout: float) -> int:
        """Close the standard input of the process; return the code with which it then ends."""
        if self._input:
            os.close(self._input)
            self._input = None
        return self.wait(timeout)

    def _await_end(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._said], [], [], timeout)[0]:
            self.returncode = int(self._said.recv(32))
            self._said.close()
        return self.returncode


class ForkServer:
    """The tests' end of the fork server, which ends when this end is closed."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.fork_server", str(theirs.fileno()), ROOM_FOR_NAMES],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )

    def start(
        self,
        command: Sequence[str],
        output: int,
        environment: dict[str, str] | None = None,
        *,
        has_input: bool = False,
    ) -> ForkedProcess:
        """Run a script, or a module if Python's options begin with `-m`.

        `output` is the descriptor for both outputs. The standard input is empty, or a pipe.
        """
        request = [list(command), environment or dict(os.environ), str(Path.cwd())]
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            taken, pipe = os.pipe() if has_input else (os.open(os.devnull, os.O_RDONLY), None)
            descriptors = [theirs.fileno(), taken, output]
            socket.send_fds(self._socket, [json.dumps(request).encode()], descriptors)
        os.close(taken)
        return ForkedProcess(ours, pipe)

    def close(self) -> None:
        """End the server, and with it every process that it has started."""
        self._socket.close()
        self._process.wait()


@cache
def fork_server() -> ForkServer:
    """Return this process's fork server, which is started by the first use."""
    server = ForkServer()
    atexit.register(server.close)  # its time counts as that of these tests
    return server


# In the server


def serve(requests: socket.socket) -> Callable[[], None]:
    """Fork a process for each request until the socket closes.

    Return, in each process, the function that it runs.
    """
    for name in PRELOADED:
        import_module(name)
    gc.collect()
    gc.freeze()  # or a collection in a process copies the memory that it shares with the others
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(ended, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the tests end the processes
    running: dict[int, socket.socket] = {}
    while True:
        readable = select.select([requests.fileno(), ended], [], [])[0]
        if ended in readable:
            os.read(ended, 1024)
            _report_ends(running)
        if requests.fileno() not in readable:
            continue
        request, descriptors, _, _ = socket.recv_fds(requests, MAX_REQUEST_BYTES, 3)
        if not request:
            return lambda: _kill_all(running)
        command, environment, directory = json.loads(request)
        reports, pipe, output = descriptors
        if pid := os.fork():
            os.close(pipe)
            os.close(output)
            running[pid] = socket.socket(fileno=reports)
            running[pid].send(str(pid).encode())
            continue
        for stream in (requests, *running.values()):
            stream.close()
        signal.set_wakeup_fd(-1)
        os.dup2(pipe, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        _forget_parent(environment)
        os.chdir(directory)
        subprocess.Popen._execute_child = _forking(  # type: ignore[attr-defined]
            subprocess.Popen._execute_child  # type: ignore[attr-defined]
        )
        return lambda: sys.exit(_run(command))


def _report_ends(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        _report_end(running.pop(pid), status)


def _report_end(reports: socket.socket, status: int) -> None:
    with reports, suppress(BrokenPipeError):  # a test may have forgotten the process
        reports.send(str(os.waitstatus_to_exitcode(status)).encode())


def _kill_all(running: dict[int, socket.socket]) -> None:
    for pid, reports in running.items():
        os.kill(pid, signal.SIGKILL)
        _report_end(reports, os.waitpid(pid, 0)[1])


# In a process


def _forget_parent(environment: dict[str, str]) -> None:
    """Make what `fork` copies from the parent what a started process finds."""
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    for handled in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(handled, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    atexit._clear()
    tempfile.tempdir = None  # found again, by the environment
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        stream = open(number, mode, closefd=False, errors="backslashreplace")  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)


def _forking(execute: Callable[..., None]) -> Callable[..., None]:
    """Return `subprocess.Popen._execute_child` that forks if one of our processes is wanted."""

    def execute_child(process: Any, args: Any, *others: Any) -> None:
        if not any(list(args[1:])[: len(options)] == options for options in FORKED):
            execute(process, args, *others)
            return
        pipes, has_own_session = others[9:15], others[20]
        theirs = pipes[0], pipes[3], pipes[5]
        if pid := os.fork():
            process.pid = pid
            process._child_created = True
            for pipe, other_end in zip(theirs, (pipes[1], pipes[2], pipes[4]), strict=True):
                if -1 not in {pipe, other_end}:  # or the caller closes it
                    os.close(pipe)
        else:
            _become(list(args), theirs, has_own_session=has_own_session)

    return execute_child


def _become(command: list[str], pipes: Iterable[int], *, has_own_session: bool) -> NoReturn:
    """Run a command in a process that has just been forked from another of our processes."""
    code = 1
    try:
        gc.freeze()  # nothing of the parent is ever finalised here
        if has_own_session:
            os.setsid()
        for number, pipe in enumerate(pipes):
            if pipe != -1:
                os.dup2(pipe, number)
        signal.set_wakeup_fd(-1)
        _forget_state()
        _forget_parent(dict(os.environ))
        code = contextvars.Context().run(_run, command)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def _forget_state() -> None:
    from visavis.log_stream import _streams
    from visavis.tasks import MONITOR

    asyncio._set_running_loop(None)
    asyncio.set_event_loop_policy(None)
    _streams.clear()
    MONITOR.problems.clear()
    MONITOR.failures.clear()


def _run(command: list[str]) -> int:
    """Run a script or a module as Python does; return with which code it ends."""
    _name_process(command)
    code: Any = 0
    try:
        if command[1] == "-m":
            sys.argv = command[2:]
            runpy.run_module(command[2], run_name="__main__", alter_sys=True)
        else:
            sys.argv = command
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        code = end.code or 0
    except Exception:  # noqa: BLE001  as the interpreter does
        traceback.print_exc()
        code = 1
    return int(code)


def _name_process(command: list[str]) -> None:
    """Make the command that of the list of processes, by which tests find a part."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    name = "\0".join(command).encode()[: end - start - 1]
    ctypes.memmove(start, name.ljust(end - start, b"\0"), end - start)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))()
