"""The native packet path: C code with sanitizers, build, limits, and real sockets."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import anyio
import pytest

from tests.legs import LEGS
from tests.media.browser import Browser, is_dtls
from tests.media.packet_paths import require_native
from tests.media.test_leg import rtp
from tests.media.test_relay import BRIDGE, IDENTITY
from tests.running import PATIENCE, free_media_port
from visavis.cli import serve
from visavis.domain.leg import AGENT_LEG, VISITOR_LEG
from visavis.media.leg import Leg, LegEvent
from visavis.media.native import build as build_module
from visavis.media.native import library
from visavis.media.native.build import DIRECTORY, LIBRARY, SOURCE, BuildError, build, is_current
from visavis.media.native.library import is_chosen
from visavis.media.native.path import NativePath
from visavis.media.relay import Relay
from visavis.media.remote_address import UdpAddress
from visavis.media.sockets import MediaSockets
from visavis.settings import Settings

UDP_SEGMENT = 103
HERE = Path(__file__).parent / "native"
WARNINGS = ("-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-pthread")
SANITIZERS = {
    "address": ("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    "thread": ("-fsanitize=thread",),
}
LIBFUZZER = (
    "-DLIBFUZZER",
    "-fsanitize=fuzzer,address,undefined",
    "-fno-sanitize-recover=all",
)


@pytest.fixture(scope="module", autouse=True)
def native() -> None:
    require_native()


def fuzzer(directory: Path, sanitizer: str) -> Path:
    program = directory / "fuzz"
    sources = [HERE / "fuzz.c", SOURCE]
    options = [*WARNINGS, *SANITIZERS[sanitizer], "-Wl,--wrap=sendmmsg", f"-I{DIRECTORY}"]
    command = ["cc", *options, "-o", program, *sources]
    run(*command)
    return program


def run(*command: object) -> str:
    done = subprocess.run(
        [str(c) for c in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_random_commands_and_datagrams_under_sanitizers(tmp_path: Path) -> None:
    assert run(fuzzer(tmp_path, "address"), 50_000, 1) == "50000 inputs\n"


@pytest.mark.many
def test_a_million_inputs_of_libfuzzer_under_sanitizers(tmp_path: Path) -> None:
    """libFuzzer prefers inputs that reach new code.

    It does not count the comparisons of the function that looks through all addresses for those of
    a leg, which took half of the time: the sanitizers watch this function like every other one.
    """
    program, uncounted = tmp_path / "fuzz", tmp_path / "uncounted"
    uncounted.write_text("fun:path_remove_leg\n")
    sources = [HERE / "fuzz.c", SOURCE]
    options = [*WARNINGS, *LIBFUZZER, f"-fsanitize-coverage-ignorelist={uncounted}"]
    options += ["-Wl,--wrap=sendmmsg", f"-I{DIRECTORY}"]
    run("clang", *options, "-o", program, *sources)
    limits = ("-runs=1000000", "-max_len=600", "-timeout=60", f"-artifact_prefix={tmp_path}/")
    assert "Done 1000000 runs" in run(program, "-seed=1", *limits)


@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_the_thread_on_real_sockets_under_sanitizers(tmp_path: Path, sanitizer: str) -> None:
    program = fuzzer(tmp_path, sanitizer)
    for way in (
        "threads",
        "refused",
    ):  # If the device cannot segment, datagrams are sent one by one.
        assert " 0 not sent" in run(program, way, 2)


def test_it_is_built_without_warnings_and_only_when_needed(tmp_path: Path) -> None:
    assert build(tmp_path).stat().st_size > 10_000
    assert is_current(tmp_path)
    assert not is_current(tmp_path / "elsewhere")


@pytest.mark.parametrize(
    ("variable", "value"), [("PATH", "/nowhere"), ("CC", "/nowhere/cc"), ("CC", "false")]
)
def test_without_a_compiler_nothing_is_built_and_nothing_fails(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BuildError):
        build(tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert build_module.main() == 0
    assert "the packet path in Python is used" in capsys.readouterr().out


@pytest.fixture
def library_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """File, which does not exist yet, from which the library is loaded."""
    file = tmp_path / LIBRARY
    monkeypatch.setattr(library, "LIBRARY", file)
    library.load.cache_clear()
    yield file
    library.load.cache_clear()


@pytest.mark.usefixtures("native")
def test_it_is_chosen_unless_another_one_is_wanted() -> None:
    assert [is_chosen(wanted) for wanted in ("auto", "native", "python")] == [True, True, False]


@pytest.mark.usefixtures("library_file")
def test_it_is_not_chosen_if_it_was_not_built() -> None:
    assert [is_chosen(wanted) for wanted in ("auto", "python")] == [False, False]
    with pytest.raises(ImportError):
        is_chosen("native")
    with pytest.raises(ImportError):
        NativePath(lambda *_: None)


def test_a_library_with_another_interface_is_not_used(
    library_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = library_file.with_suffix(".h")
    header.write_text(library.HEADER.read_text().replace("MAX_LEGS = 2048", "MAX_LEGS = 4096"))
    build(library_file.parent)
    assert is_chosen("auto")
    library.load.cache_clear()
    monkeypatch.setattr(library, "HEADER", header)
    assert not is_chosen("auto")


def test_a_file_that_is_not_a_library_is_not_used(library_file: Path) -> None:
    library_file.write_bytes(b"not a library")
    assert not is_chosen("auto")


def test_without_libsrtp_s_functions_it_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("visavis.media.srtp.lib", None)
    assert not is_chosen("auto")


def test_a_server_that_needs_it_and_lacks_it_says_so_and_does_not_start(
    library_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(media_packet_path="native")
    serve._require_packet_path(Settings())
    with pytest.raises(SystemExit):
        serve._require_packet_path(settings)
    assert "--media-packet-path" in capsys.readouterr().err
    build(library_file.parent)
    library.load.cache_clear()
    serve._require_packet_path(settings)


def test_what_waits_for_python_is_bounded_and_strangers_leave_room() -> None:
    path = NativePath(lambda *_: None)
    core, seen = path.core, list[object]()
    path.hand_to(lambda *told: seen.append(told), lambda *told: seen.append(told))
    leg = core.add_leg(1)
    core.bind(leg, ("192.0.2.1", 1))
    for number in range(3000):
        core.receive_from(("203.0.113.1", number), bytes(20), 0.0, 0)
    for _ in range(3000):
        core.receive_from(("192.0.2.1", 1), b"\x16" + bytes(20), 0.0, 0)
    limits = core.lib
    assert path.events_dropped == 6000 - limits.MAX_EVENTS
    path.dispatch()
    path.dispatch()
    strangers = sum(told[1][0] == "203.0.113.1" for told in seen)  # type: ignore[index]
    assert (len(seen), strangers) == (limits.MAX_EVENTS, limits.MAX_STRANGER_EVENTS)


def test_legs_are_bounded_and_numbers_are_not_used_again() -> None:
    core = NativePath(lambda *_: None).core
    legs = [core.add_leg(1) for _ in range(core.lib.MAX_LEGS)]
    with pytest.raises(OverflowError):
        core.add_leg(1)
    core.remove_leg(legs[0])
    assert core.add_leg(1) not in legs
    core.receive(legs[0], bytes(100), 0.0, 0)  # The leg does not exist, so nothing happens.
    totals = core.leg_totals(legs[0])
    assert (totals.packets_in, totals.dropped) == (0, 0)


@pytest.mark.parametrize(
    "address", [("192.0.2.1", 1), ("2001:db8::1", 2, 0, 0), ("fe80::1", 3, 0, 9)]
)
def test_addresses_are_those_of_python_s_sockets(address: UdpAddress) -> None:
    path, seen = NativePath(lambda *_: None), list[object]()
    path.hand_to(lambda _, told, *__: seen.append(told), lambda *_: None)
    path.core.receive_from(address, bytes(20), 0.0, 0)
    path.dispatch()
    assert seen == [address]


class Call:
    """Call of two browsers on real sockets, through the thread of the packet path."""

    def __init__(self, host: str) -> None:
        self.port = free_media_port()
        self.events: list[LegEvent] = []
        self.path = NativePath(self._send)
        self.sockets = MediaSockets(self.port, host, path=self.path)
        self.relay = Relay(
            IDENTITY,
            self._send,
            self._on_event,
            steer=self.sockets.steer,
            new_leg=self.path.new_leg,
        )
        self.path.hand_to(self.relay.receive, self.relay.receive_admitted)
        self.browsers = {side: Browser() for side in LEGS}
        self.udp = {side: self._socket(host) for side in LEGS}

    def _socket(self, host: str) -> socket.socket:
        udp = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        udp.setblocking(False)
        udp.connect((host, self.port))
        return udp

    def _send(self, datagram: bytes, remote_address: object) -> None:
        self.sockets.send(datagram, remote_address)  # type: ignore[arg-type]

    def _on_event(self, leg: Leg, event: LegEvent) -> None:
        self.events.append(event)

    async def connect(self) -> None:
        relay = self.relay
        await self.sockets.open(relay.receive, relay.lose, relay.is_known)
        for side in LEGS:
            relay.open_leg(BRIDGE, side, 0.0)
            relay.set_remote(BRIDGE, side, self.browsers[side].remote)
        relay.join(BRIDGE)
        while len(self.events) < len(LEGS):
            now = asyncio.get_running_loop().time()
            for side in LEGS:
                leg = relay.bridges[BRIDGE].legs[side]
                self.browsers[side].tick(leg, now, partial(_write, self.udp[side]))
            await self.pump(0.05)
            relay.tick(now)

    async def pump(self, seconds: float) -> None:
        """Let the browsers receive for some seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while loop.time() < until:
            await asyncio.sleep(0.002)
            for side in LEGS:
                while datagram := _read(self.udp[side]):
                    self.browsers[side].receive_at(
                        datagram, loop.time(), partial(_write, self.udp[side])
                    )

    def heard(self, side: int) -> list[bytes]:
        return [packet for packet in self.browsers[side].received if packet[1] < 192]

    def close(self) -> None:
        self.sockets.close()
        for udp in self.udp.values():
            udp.close()


def _write(udp: socket.socket, datagram: bytes) -> None:
    udp.send(datagram)


def _read(udp: socket.socket) -> bytes:
    try:
        return udp.recv(2048)
    except (BlockingIOError, ConnectionRefusedError):
        return b""


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_call_on_real_sockets(host: str) -> None:
    call = Call(host)
    try:
        await call.connect()
        sent = [rtp(number) + bytes(number % 7 * 100) for number in range(300)]
        for number, packet in enumerate(sent):
            for side in LEGS:
                call.udp[side].send(call.browsers[side].protect(packet))
            if (
                number % 20 == 19
            ):  # A browser's socket buffer has space for about a hundred datagrams.
                await call.pump(0.01)
        for _ in range(100):
            await call.pump(0.05)
            if all(len(call.heard(side)) >= len(sent) for side in LEGS):
                break
        assert [call.heard(side) for side in LEGS] == [sent, sent]
        totals = call.path.core.totals()
        assert totals.received >= 600
        assert (totals.sent, totals.unsent, totals.events_dropped) == (600, 0, 0)
        assert not any(map(is_dtls, call.heard(AGENT_LEG)))
    finally:
        call.close()


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_datagrams_that_the_kernel_has_joined_are_relayed_one_by_one(host: str) -> None:
    """This includes the longest run, whose last datagram is shorter. They are sent joined again."""
    call = Call(host)
    try:
        await call.connect()
        sent = [rtp(number) + bytes(900) for number in range(63)] + [rtp(63)]
        train = [call.browsers[VISITOR_LEG].protect(packet) for packet in sent]
        size = struct.pack("H", len(train[0]))
        call.udp[VISITOR_LEG].sendmsg(train, [(socket.IPPROTO_UDP, UDP_SEGMENT, size)])
        for _ in range(100):
            await call.pump(0.02)
            if len(call.heard(AGENT_LEG)) >= len(sent):
                break
        assert call.heard(AGENT_LEG) == sent
    finally:
        call.close()


def _path_threads(before: set[str]) -> list[int]:
    """Return the priorities of the packet path's threads that were not there before."""
    started = (task for task in Path("/proc/self/task").iterdir() if task.name not in before)
    names = {int(task.name): (task / "comm").read_text().strip() for task in started}
    return [
        os.getpriority(os.PRIO_PROCESS, number)
        for number, name in names.items()
        if name == "packet path"
    ]


@pytest.mark.anyio
async def test_the_thread_goes_before_those_of_python_where_that_is_allowed() -> None:
    # SVT-AV1, which other tests use, leaves the calling thread at SCHED_FIFO.
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    call = Call("127.0.0.1")
    own = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        before = {tid.name for tid in Path("/proc/self/task").iterdir()}
        await call.connect()
        wanted = max(own - 10, -20) if os.geteuid() == 0 else own
        with anyio.fail_after(PATIENCE):  # The thread sets its priority once it runs.
            while not any(priority <= wanted for priority in _path_threads(before)):
                await anyio.sleep(0.01)
        assert os.getpriority(os.PRIO_PROCESS, 0) == own
    finally:
        call.close()


ROOT = Path(__file__).resolve().parent.parent.parent
BUILD_WHEEL = """
import sys
from hatchling.build import build_wheel
print(build_wheel(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("compiler", "tag"), [("cc", "py3-none-linux_"), ("false", "py3-none-any")]
)
def test_a_wheel_brings_it_where_there_is_a_compiler(
    tmp_path: Path, compiler: str, tag: str
) -> None:
    source = tmp_path / "source"
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("*.so", "static"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    environment = {**os.environ, "CC": compiler}
    command = [sys.executable, "-c", BUILD_WHEEL, str(tmp_path)]
    built = subprocess.run(
        command, cwd=source, env=environment, check=True, capture_output=True, text=True
    )
    wheel = tmp_path / built.stdout.split()[-1]
    assert tag in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert f"visavis/media/native/{LIBRARY}" in names or compiler == "false"
    assert "visavis/media/native/packet_path.c" in names
