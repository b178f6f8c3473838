"""Faults of the machine under a running product with calls on, one after the other.

As a program it is the long form: `python -m tests.faults.operations --seed 1 --rounds 5`.

While a fault lasts, `/readyz` says what a call that is placed then meets; nothing but the part
concerned restarts; media go on as long as the media worker lives; and afterwards every call that
was recorded has exactly one recording delivered.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import resource
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from fcntl import F_SETPIPE_SZ, fcntl
from pathlib import Path
from typing import IO, Any, Final

import httpx2
import msgspec
from click.testing import CliRunner

from tests import http_clients
from tests.certificates import write_certificate
from tests.faults.chaos import Disk
from tests.faults.postgresql_pair import PostgresqlPair
from tests.participants.peer import Peer
from tests.participants.people import Agent, Visitor, present
from tests.running import PATIENCE, System, decoding_errors, eventually, until
from visavis.cli import main as visavis
from visavis.run_directory import PREFIX

PARTS: Final = ("app", "media", "recorder")
DESCRIPTOR_OWNERS: Final = (*PARTS, "supervisor")
CALLS: Final = 2
FAULT_SECONDS: Final = 1.5
ATTEMPT_SECONDS: Final = 5.0
POLL_SECONDS: Final = 0.25
DISK_MEGABYTES: Final = 400
PIPE_BYTES: Final = 4096
STANDARD_STREAMS: Final = 3
READY: Final = "ready"
TOO_MANY: Final = "Too many open files"
NO_ANSWER: Final = "no answer"
MAX_GAP_PACKETS: Final = 100
"""One second of both media of a call; a burst that a busy machine drops is shorter."""
LEAST_RECEIVED: Final = 0.9
WITHOUT_OVERRIDE: Final = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)
"""Root without its right to read and write whatever it likes."""


class Log:
    """Standard error of the product: a pipe whose reader can stall and die."""

    def __init__(self, directory: Path) -> None:
        self._pipe = directory / "log.pipe"
        self.path = directory / "stderr.log"
        os.mkfifo(self._pipe)
        self._may_read = threading.Event()
        self._may_read.set()
        self._is_over = False
        self._reader = self._open()
        threading.Thread(target=self._read, daemon=True).start()

    def open_for_writing(self) -> IO[bytes]:
        return self._pipe.open("wb", buffering=0)

    def stall(self) -> None:
        self._may_read.clear()

    def resume(self) -> None:
        self._may_read.set()

    def die(self) -> None:
        self.stall()
        os.close(self._reader)

    def revive(self) -> None:
        self._reader = self._open()
        self.resume()

    def close(self) -> None:
        self._is_over = True
        self.resume()

    def _open(self) -> int:
        reader = os.open(self._pipe, os.O_RDONLY | os.O_NONBLOCK)
        fcntl(reader, F_SETPIPE_SZ, PIPE_BYTES)
        return reader

    def _read(self) -> None:
        with self.path.open("ab", buffering=0) as file:
            while not self._is_over:
                self._may_read.wait()
                with contextlib.suppress(BlockingIOError, OSError):
                    file.write(os.read(self._reader, PIPE_BYTES))
                time.sleep(0.01)


class Product(System):
    """`visavis serve` over TLS on PostgreSQL, its data on a small disk of their own."""

    def __init__(self, directory: Path, postgresql: PostgresqlPair) -> None:
        self.certificates = directory
        cert, key = write_certificate(directory)
        self.database = postgresql.address
        super().__init__(
            directory / "data",
            *("--database", self.database, "--tls-cert", str(cert), "--tls-key", str(key)),
            *("--disk-reserve-megabytes", str(DISK_MEGABYTES // 8)),
            # all parties come from one address, and connect again sooner than pages do
            *("--rate-limit", "0", "--socket-rate-limit", "0", "--calls-per-minute", "0"),
        )
        self.url = self.url.replace("http", "https", 1)
        self.log = Log(directory)
        self.disk = Disk(self.data, DISK_MEGABYTES)

    def launch(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        prefix = WITHOUT_OVERRIDE if os.geteuid() == 0 else ()
        with self.log.open_for_writing() as errors:
            return subprocess.Popen([*prefix, *command], stdout=log, stderr=errors)

    def processes(self) -> dict[str, int]:
        """Process ids by part."""
        return {"supervisor": self.pid} | {part: self.pid_of(part) for part in PARTS}

    def run_directory(self) -> Path:
        """Directory of the Unix sockets, which the supervisor holds open."""
        links = (path.readlink() for path in Path(f"/proc/{self.pid}/fd").iterdir())
        return next(link for link in links if link.name.startswith(PREFIX))

    def command(self, *arguments: str) -> str:
        """Run one of our commands on this product's database."""
        result = self.try_command(*arguments)
        assert result.exit_code == 0, result.output
        return str(result.stdout)

    def try_command(self, *arguments: str) -> Any:
        place = ("--data", str(self.data), "--database", self.database)
        return CliRunner().invoke(visavis, [*arguments, *place])

    def token(self) -> str:
        if not self._token:
            self._token = self.command("token", "issue", "--email", "admin@localhost").strip()
        return self._token

    def record_calls(self) -> None:
        """Switch calls and their recording on; a call that cannot be recorded goes on."""
        with self.client() as client:
            config = {
                "isEnabled": True,
                "isAutomaticallyRecordingAudioVideoChatsEnabled": True,
                "recordingServerUrl": f"{self.url}/recordings/",
            }
            policy = {"unrecordable": "continue"}
            for name, values in (("audioVideoChatConfig", config), ("recordingPolicy", policy)):
                client.put(f"/v4/livechat/{name}", json=values).raise_for_status()

    def client(self) -> httpx2.Client:
        headers = {"Authorization": f"Bearer {self.token()}"}
        return http_clients.Client(base_url=self.url, headers=headers, verify=self.trusting())

    def trusting(self) -> ssl.SSLContext:
        """Return a context that trusts the certificate in its file as it is now, and no other."""
        return ssl.create_default_context(cafile=self.certificates / "cert.pem")

    def delivered(self) -> Counter[str]:
        """Return how many recordings of each call are in the archive."""
        sidecars = (self.data / "archive" / "library" / "1").glob("[!.]*.json")
        return Counter(msgspec.json.decode(path.read_bytes())["callId"] for path in sidecars)

    def missing(self) -> set[str]:
        """Return the calls that `visavis recordings verify` lists."""
        result = self.try_command("recordings", "verify", "--json")
        listed = msgspec.json.decode(result.stdout)
        assert result.exit_code == bool(listed), result.output
        return {call["callId"] for call in listed}


@dataclass
class Answer:
    """An answer of `/readyz`: whether a call could be placed, and what it says."""

    is_ready: bool
    text: str

    @property
    def reason(self) -> str:
        return self.text.partition("\n")[0]


class ReadinessProbe:
    """Asks `/readyz` all the time, as a load balancer does."""

    def __init__(self, product: Product) -> None:
        self._url = f"{product.url}/readyz"
        self._verify = product.trusting()
        self.answers: list[Answer] = []

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[ReadinessProbe]:
        async with http_clients.AsyncClient(verify=self._verify) as self._client:
            task = asyncio.create_task(self._ask_again_and_again())
            try:
                yield self
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def ask(self) -> Answer:
        try:
            response = await self._client.get(self._url)
        except httpx2.HTTPError as error:
            return Answer(False, f"{NO_ANSWER}: {error!r}")
        assert response.status_code in {200, 503}, response
        return Answer(response.status_code == 200, response.text.strip())

    async def next_answer(self) -> Answer:
        """Wait for the answer to a question that is asked from now on."""
        known = len(self.answers)
        await until(lambda: len(self.answers) >= known + 2)
        return self.answers[-1]

    async def _ask_again_and_again(self) -> None:
        while True:
            self.answers.append(await self.ask())
            await asyncio.sleep(POLL_SECONDS)


class RunningCall:
    """A call that is connected, with both its ends."""

    def __init__(self, visitor: Visitor, agent: Agent) -> None:
        self.visitor, self.agent = visitor, agent
        self.id = visitor.known_as

    async def hang_up(self) -> None:
        await hung_up(self.visitor)


class MediaWindow:
    """A span of time in which the media of some calls are to go on, on the same bridges."""

    def __init__(self, calls: Sequence[RunningCall]) -> None:
        self._calls = calls
        self._directions: list[tuple[Peer, Peer]] = []
        for call in calls:
            visitor, agent = _peer(call.visitor), _peer(call.agent)
            self._directions += [(visitor, agent), (agent, visitor)]
        self._before = [(sender.sent, receiver.received) for sender, receiver in self._directions]
        for _, receiver in self._directions:
            for reception in receiver.receptions.values():
                reception.longest_gap = 0

    async def verify(self) -> None:
        for call in self._calls:
            assert not call.visitor.is_over.is_set(), f"the call ended: {call.visitor.reason}"
        for (sender, receiver), (sent, received) in zip(
            self._directions, self._before, strict=True
        ):
            least = received + LEAST_RECEIVED * (sender.sent - sent)
            await until(lambda r=receiver, least=least: r.received >= least)  # type: ignore[misc]
            gap = max(reception.longest_gap for reception in receiver.receptions.values())
            assert gap <= MAX_GAP_PACKETS, f"{gap} packets in a row were not received"


def _peer(person: Visitor | Agent) -> Peer:
    return person.peers[max(person.peers)]


@dataclass
class Environment:
    """All that a fault can concern."""

    product: Product
    postgresql: PostgresqlPair


class Fault:
    """A fault of the machine, from `begin` to `end`.

    `reason` is contained in what `/readyz` says while no call can be placed, and empty where calls
    can be placed all the time; `warning` is contained in a warning meanwhile. A fault that is not
    constant goes away now and then. Only `part` may restart.
    """

    name = ""
    part = ""
    reason = ""
    warning = ""
    is_constant = True

    def __init__(self, environment: Environment) -> None:
        self.product, self.postgresql = environment.product, environment.postgresql

    def begin(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        raise NotImplementedError


class NoDescriptors(Fault):
    """A process that cannot open files: none at all, or no more than it has open."""

    def __init__(self, environment: Environment, part: str, *, is_all: bool) -> None:
        super().__init__(environment)
        self.name = f"descriptors of {part} run out" if is_all else f"{part} opens no more files"
        self.part = self._owner = part
        self._is_all = is_all
        # where some are closed meanwhile, others can be opened: then `/readyz` may say so
        self.is_constant = is_all
        self.reason = TOO_MANY if part in {"app", "media"} else ""
        self.warning = TOO_MANY if part == "recorder" and is_all else ""

    def begin(self) -> None:
        self._pid = self.product.processes()[self._owner]
        self._limits = resource.prlimit(self._pid, resource.RLIMIT_NOFILE)
        limit = STANDARD_STREAMS
        if not self._is_all:
            used = {int(path.name) for path in Path(f"/proc/{self._pid}/fd").iterdir()}
            limit = next(number for number in range(len(used) + 1) if number not in used)
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, (limit, self._limits[1]))

    def end(self) -> None:
        resource.prlimit(self._pid, resource.RLIMIT_NOFILE, self._limits)


class NoRestart(NoDescriptors):
    """A recorder that dies while the supervisor cannot start another process."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment, "supervisor", is_all=True)
        self.name = "the recorder dies and cannot be started"
        self.part = "recorder"
        self.warning = f"recorder is being restarted: [Errno 24] {TOO_MANY}"

    def begin(self) -> None:
        super().begin()
        self.product.kill_part("recorder")


class UnreadableSpool(Fault):
    name = "the spool becomes unreadable"
    reason = "the spool cannot be written"
    warning = "Permission denied"

    def begin(self) -> None:
        self._mode = self.product.spool.stat().st_mode
        self.product.spool.chmod(0)

    def end(self) -> None:
        self.product.spool.chmod(self._mode)


class SpoolIsFile(Fault):
    name = "the spool becomes a file"
    reason = "the spool cannot be written"
    warning = "spool"

    def begin(self) -> None:
        self._aside = self.product.spool.rename(self.product.data / "spool.aside")
        self.product.spool.touch()

    def end(self) -> None:
        self.product.spool.unlink()
        self._aside.rename(self.product.spool)


class RunDirectoryRemoved(Fault):
    name = "the run directory vanishes"

    def begin(self) -> None:
        self._directory = self.product.run_directory()
        self._sockets = {path.name for path in self._directory.glob("*.sock")}
        shutil.rmtree(self._directory)

    def end(self) -> None:
        """Wait until the product has made it again."""
        eventually(lambda: {path.name for path in self._directory.glob("*.sock")} == self._sockets)


class LogReaderStalls(Fault):
    name = "the log's reader stalls"

    def begin(self) -> None:
        self.product.log.stall()

    def end(self) -> None:
        self.product.log.resume()


class LogReaderDies(Fault):
    name = "the log's reader dies"

    def begin(self) -> None:
        self.product.log.die()

    def end(self) -> None:
        self.product.log.revive()


class DiskFull(Fault):
    name = "the disk fills"
    reason = "the disk is nearly full"

    def begin(self) -> None:
        self._undo = contextlib.ExitStack()
        self._undo.enter_context(self.product.disk.full())

    def end(self) -> None:
        self._undo.close()


class Switchover(Fault):
    name = "PostgreSQL becomes a standby"
    reason = "the database"

    def begin(self) -> None:
        self.postgresql.demote()

    def end(self) -> None:
        self.postgresql.promote()


class CertificateRenewal(Fault):
    name = "the certificate is renewed"

    def begin(self) -> None:
        write_certificate(self.product.certificates)
        eventually(self._is_in_use)

    def end(self) -> None:
        pass

    def _is_in_use(self) -> bool:
        try:
            with self.product.client() as client:
                return client.get("/healthz").status_code == 200
        except httpx2.ConnectError:  # the certificate is not the one in the file
            return False


def faults(environment: Environment, chance: random.Random) -> list[Fault]:
    """Return every fault that this machine can have, in an order by chance."""
    found: list[Fault] = [
        NoDescriptors(environment, part, is_all=chance.random() < 0.5) for part in DESCRIPTOR_OWNERS
    ]
    found += [
        NoRestart(environment),
        UnreadableSpool(environment),
        SpoolIsFile(environment),
        RunDirectoryRemoved(environment),
    ]
    found += [LogReaderStalls(environment), LogReaderDies(environment)]
    found += [Switchover(environment), CertificateRenewal(environment)]
    if environment.product.disk.is_small:
        found.append(DiskFull(environment))
    chance.shuffle(found)
    return found


@dataclass
class Report:
    """Faults in the order in which they happened, and the calls that were recorded meanwhile."""

    seed: int
    faults: list[str] = field(default_factory=list)
    connected: set[str] = field(default_factory=set)
    unrecorded: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        order = "; ".join(self.faults)
        return f"seed {self.seed}, {len(self.connected)} calls connected, faults: {order}"


class Operations:
    """One product, its callers, and the faults that it meets, in an order drawn from a seed."""

    def __init__(self, directory: Path, seed: int, only: str = "") -> None:
        self._chance = random.Random(seed)
        self._only = only
        self._directory = directory
        self._failures: list[Exception] = []
        self._decoded: set[str] = set()
        self._started = time.monotonic()
        self.report = Report(seed)

    def run(self, rounds: int) -> Report:
        postgresql = PostgresqlPair()
        product = Product(self._directory, postgresql)
        with contextlib.ExitStack() as closing:
            closing.callback(postgresql.stop)
            product.disk.mount()
            closing.callback(product.disk.unmount)
            closing.callback(product.log.close)
            postgresql.start()
            closing.callback(product.stop)
            product.start()
            product.record_calls()
            try:
                asyncio.run(self._run(Environment(product, postgresql), rounds))
            except BaseException as error:
                error.add_note(str(self.report))
                raise
        return self.report

    async def _run(self, environment: Environment, rounds: int) -> None:
        product = self._product = environment.product
        url = product.url.replace("http", "ws", 1)
        self._visitor_url = f"{url}/signaling/visitor?site=1"
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        tokens = [await asyncio.to_thread(self._hire, n) for n in range(CALLS + 1)]
        self._agents = [Agent(f"{url}/signaling/agent", t, tls=self._tls) for t in tokens]
        async with present(*self._agents), ReadinessProbe(product).asking() as self._probe:
            await until(lambda: all(agent.is_on_duty.is_set() for agent in self._agents))
            for _ in range(rounds):
                for fault in faults(environment, self._chance):
                    if self._only in fault.name:
                        self.report.faults.append(fault.name)
                        await self._meet_and_collect(fault)
            await asyncio.to_thread(self._verify_recordings)
            await asyncio.to_thread(eventually, lambda: not product.undelivered())
            if self._failures:
                raise ExceptionGroup("what did not hold", self._failures)

    async def _meet_and_collect(self, fault: Fault) -> None:
        try:
            await self._meet(fault)
        except AssertionError as error:
            error.add_note(f"during the fault: {fault.name}")
            self._say(fault, f"FAILED: {error}")
            self._failures.append(error)

    def _hire(self, number: int) -> str:
        email = f"agent{number}@example.com"
        self._product.command("agent", "add", email, "--permission", "Accept Audio & Video Chats")
        return self._product.command("token", "issue", "--email", email).strip()

    async def _meet(self, fault: Fault) -> None:
        """Let one fault happen to calls in progress, and verify all that is to hold."""
        async with contextlib.AsyncExitStack() as leaving:
            calls = await self._place_all(leaving)
            # a fault begins when nothing is left of the one before
            await asyncio.to_thread(self._verify_recordings)
            await self._until_ready()
            processes, window = self._product.processes(), MediaWindow(calls[1:])
            began = len(self._probe.answers)
            self._say(fault, "begins")
            await asyncio.to_thread(fault.begin)
            try:
                await self._meanwhile(leaving, fault, calls[0], began)
            finally:
                await asyncio.to_thread(fault.end)
            self._say(fault, "has ended")
            await self._until_ready()
            found = self._product.processes()
            changed = {part for part in processes if found[part] != processes[part]}
            assert changed <= {fault.part}, f"restarted: {changed}"
            if "media" not in changed:
                await window.verify()
            await self._hang_up(calls)
            self._say(fault, "is over")

    async def _place_all(self, leaving: contextlib.AsyncExitStack) -> list[RunningCall]:
        # one after the other: agents take what rings while they are free
        return [await self._place(leaving, has_video=number > 0) for number in range(CALLS)]

    async def _hang_up(self, calls: Sequence[RunningCall]) -> None:
        await asyncio.gather(*(call.hang_up() for call in calls))
        self.report.connected |= {call.id for call in calls}
        self.report.unrecorded |= {call.id for call in calls if not call.visitor.was_recorded}

    async def _meanwhile(
        self, leaving: contextlib.AsyncExitStack, fault: Fault, call: RunningCall, began: int
    ) -> None:
        """End a call and place another while the fault lasts; verify what `/readyz` says."""
        since = began
        if fault.reason and fault.is_constant:
            await until(lambda: not self._probe.answers[-1].is_ready)
            since = len(self._probe.answers) - 1
        self._say(fault, self._probe.answers[-1].text)
        await self._hang_up([call])
        before = await self._probe.next_answer()
        another = await self._try_to_place(leaving)
        after = await self._probe.next_answer()
        if before.is_ready and after.is_ready:
            is_recorded = another is not None and another.visitor.was_recorded
            assert is_recorded, "/readyz promised a recorded call"
        self._say(fault, f"a call {'was' if another else 'was not'} connected: {after.text}")
        if another:
            await self._hang_up([another])
        await asyncio.sleep(FAULT_SECONDS)
        said = [answer.text for answer in self._probe.answers[since:]]
        for answer in self._probe.answers[since:]:
            if answer.is_ready:
                assert not (fault.reason and fault.is_constant), said
            else:
                is_worded = fault.reason in answer.reason or answer.reason.startswith(NO_ANSWER)
                assert fault.reason and is_worded, said  # noqa: PT018
        if fault.warning:
            assert any(fault.warning in text for text in said), said

    async def _until_ready(self) -> None:
        """Wait until calls can be placed and nothing is warned of."""
        await self._probe.next_answer()
        await until(lambda: self._probe.answers[-1].text == READY)

    def _say(self, fault: Fault, text: str) -> None:
        seconds = time.monotonic() - self._started
        print(f"{seconds:6.1f} s  {fault.name}: {text}", file=sys.stderr, flush=True)

    # Calls

    async def _place(
        self, leaving: contextlib.AsyncExitStack, *, has_video: bool = True
    ) -> RunningCall:
        call = await self._try_to_place(leaving, has_video=has_video, seconds=PATIENCE)
        assert call, "the call was not connected"
        assert call.visitor.was_recorded
        return call

    async def _try_to_place(
        self,
        leaving: contextlib.AsyncExitStack,
        *,
        has_video: bool = True,
        seconds: float = ATTEMPT_SECONDS,
    ) -> RunningCall | None:
        """Place a call; return it if it is connected within so many seconds."""
        visitor = Visitor(self._visitor_url, has_video=has_video, tls=self._tls)
        await leaving.enter_async_context(present(visitor))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await visitor.call("Visitor")
                await _any(visitor.is_connected, visitor.is_over)
        if not visitor.is_connected.is_set():
            if visitor.call_id:
                await hung_up(visitor)
            return None
        agent = next(agent for agent in self._agents if agent.call_id == visitor.known_as)
        await until(lambda: min(_peer(visitor).received, _peer(agent).received) > 0)
        return RunningCall(visitor, agent)

    # Recordings

    def _verify_recordings(self) -> None:
        """Verify that each call that is over and was recorded has one recording delivered."""
        expected = self.report.connected - self.report.unrecorded
        eventually(lambda: expected <= self._product.delivered().keys())
        assert self._product.missing() <= self.report.unrecorded
        assert not [call for call, count in self._product.delivered().items() if count > 1]
        for path in (self._product.data / "archive" / "library" / "1").glob("[!.]*.mkv"):
            if path.name not in self._decoded:
                self._decoded.add(path.name)
                assert decoding_errors(path) == "", path


async def hung_up(visitor: Visitor) -> None:
    """Hang up, again if the request was lost; fails if the call does not end."""
    loop = asyncio.get_running_loop()
    end = loop.time() + PATIENCE
    while not visitor.is_over.is_set():
        assert loop.time() < end, f"the call did not end: {visitor.call_id}"
        await visitor.hang_up()
        await asyncio.sleep(0.2)


async def _any(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="all faults, so many times")
    parser.add_argument("--log", type=Path, help="keep the product's log in this file")
    parser.add_argument("--only", default="", help="only faults whose name contains this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        try:
            print(Operations(Path(directory), options.seed, options.only).run(options.rounds))
        finally:
            if options.log:
                shutil.copy(Path(directory) / "stderr.log", options.log)


if __name__ == "__main__":
    main()
