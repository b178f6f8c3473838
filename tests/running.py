"""A whole running system, started as a user starts it."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import IO, Any, ClassVar, Final, TypeVar

import httpx2
from click.testing import CliRunner
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect

from tests.fork_server import ForkedProcess, fork_server
from tests.trust import TRUST
from visavis.cli import main as visavis_command
from visavis.cli.context import settings_of
from visavis.compose import Services
from visavis.domain.audit import ActionType
from visavis.domain.oauth import CredentialKind
from visavis.domain.people import operator
from visavis.domain.recording import INCOMPLETE
from visavis.services.people import FIRST_EMAIL
from visavis.store import open_store

T = TypeVar("T")

VISAVIS = str(Path(sys.executable).parent / "visavis")
CHROMIUM = "/usr/bin/chromium-headless-shell"
"""Chromium without its windows, which cost more to open than the pages in them."""
PATIENCE = 120.0
"""Seconds until what has not happened is thought never to happen, on however busy a machine."""
FAKE_DEVICES = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--no-sandbox",
)


PORTS = range(10_000, 32_000)
"""Below the ports that the kernel gives to connections: it may give away a free one meanwhile."""
_lent: Final = set[int]()

VISITOR, AGENT = "visavis", "visavisConsole"
"""By which name a page has its peer connection."""

PAGE_SCRIPTS = tuple(
    (Path(__file__).parent / "e2e" / name).read_text()
    for name in ("reception.js", "captures.js", "unpainted.js")
)
"""Every page runs them before its own.

They log what it receives, and what it holds for a call, capture smaller pictures and paint none.
"""
PAINTED, WHOLE = "window.isPainted = true", "window.isWhole = true"
"""With these a page paints the pictures of its calls, and captures them in full size."""

LOGS = "JSON.stringify(window.receptionLogs ?? [])"


def eventually(
    question: Callable[[], T | None], seconds: float = PATIENCE, *, pause: float = 0.1
) -> T:
    """Return the answer of `question` as soon as it is not empty."""
    until = time.monotonic() + seconds
    while True:
        if answer := question():
            return answer
        assert time.monotonic() < until, f"not within {seconds} seconds: {question}"
        time.sleep(pause)


async def until(
    question: Callable[[], T | None], seconds: float = PATIENCE, *, pause: float = 0.01
) -> T:
    """Return the answer of `question` as soon as it is not empty, while the event loop goes on."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        if answer := question():
            return answer
        assert loop.time() < end, f"not within {seconds} seconds: {question}"
        await asyncio.sleep(pause)


class System:
    """`visavis serve` on a data directory; its parts can be killed one by one."""

    running: ClassVar[set[System]] = set()
    """Systems that have been started and not yet stopped."""

    def __init__(
        self,
        data: Path,
        *options: str,
        environment: dict[str, str] | None = None,
        is_forked: bool = True,
    ) -> None:
        self.data = data
        self._is_forked = is_forked
        self.environment = environment
        self._options = options
        self.port, self.media_port = free_port(), free_media_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.password = ""
        self._token = ""
        self.sessions: dict[str, list[SetCookieParam]] = {}
        """The cookies of those who have signed in, by e-mail."""
        self._process: subprocess.Popen[bytes] | ForkedProcess | None = None

    @property
    def spool(self) -> Path:
        return self.data / "spool"

    def start(self) -> System:
        output = self.data.parent / f"{self.data.name}.log"
        said_before = output.stat().st_size if output.exists() else 0
        with output.open("ab") as log:
            self._process = process = self.launch(
                [
                    *(VISAVIS, "serve", "--data", str(self.data)),
                    *("--port", str(self.port), "--media-port", str(self.media_port)),
                    *("--media-workers", "1"),
                    *self._options,
                ],
                log,
            )

        def is_up() -> bool:
            assert process.poll() is None, output.read_text()
            return b"Ctrl-C stops" in output.read_bytes()[said_before:]

        self.running.add(self)
        try:
            eventually(is_up)
        except BaseException:  # also a test that takes too long
            self.kill()
            raise
        if match := re.search(r"password  (\S+)", output.read_text()):
            self.password = match[1]
        return self

    def launch(self, command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes] | ForkedProcess:
        """Start the supervisor's process; a subclass may run it in another way."""
        if self._is_forked:
            self._put_database()
            return fork_server().start(command, log.fileno(), self.environment)
        return subprocess.Popen(command, stdout=log, stderr=log, env=self.environment)

    def _put_database(self) -> None:
        """Put a migrated database where the system would make one, which takes longer."""
        path = self.data / "visavis.db"
        if "--database" not in self._options and not path.exists():
            self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(0o600)
            path.write_bytes(migrated_database())

    def stop(self) -> None:
        if self._process:
            try:
                code = self.end_by(signal.SIGINT)
            finally:
                self.kill()
            assert code == 0

    def kill(self) -> None:
        """Kill the supervisor, with which its parts end, unless it has ended."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._forget_process()

    def end_by(self, number: signal.Signals) -> int:
        """Send a signal to the supervisor; return the code with which it ends."""
        self.signal(number)
        assert self._process
        code = self._process.wait(PATIENCE)
        self._forget_process()
        return code

    def _forget_process(self) -> None:
        self._process = None
        self.running.discard(self)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor."""
        assert self._process
        self._process.send_signal(number)

    def kill_part(self, name: str) -> None:
        """`kill -9`; the supervisor starts it again."""
        os.kill(self.pid_of(name), signal.SIGKILL)

    @contextmanager
    def nobody_started_again(self) -> Iterator[None]:
        """The supervisor holds its breath."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)
        yield
        self._process.send_signal(signal.SIGCONT)

    @property
    def pid(self) -> int:
        """Process id of the supervisor."""
        assert self._process
        return self._process.pid

    def pid_of(self, name: str) -> int:
        assert self._process
        for pid in children(self._process.pid):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            if {name.encode(), f"{name}-0".encode()} & set(command):
                return pid
        raise AssertionError(f"the part {name} does not run")

    def token(self) -> str:
        """A bearer token of the first administrator, issued once."""
        if not self._token:
            self._token = issue_token(self.data, FIRST_EMAIL)
        return self._token

    def add_agent(self, email: str, password: str, *options: str) -> None:
        """Add an agent by the command line."""
        place = ("--data", self.data, "--password-stdin")
        administer("agent", "add", *place, email, *options, said=f"{password}\n")

    def sign_in(self, page: Page, path: str, email: str, password: str) -> None:
        """By the form once; after that everybody has the cookie of their session."""
        if cookies := self.sessions.get(email):
            page.context.add_cookies(cookies)
            page.goto(self.url + path)
            return
        page.goto(f"{self.url}/signin?next={path}")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(self.url + path)
        self.sessions[email] = [
            SetCookieParam(name=cookie["name"], value=cookie["value"], url=self.url)
            for cookie in page.context.cookies()
        ]

    def configure(self, *, on: bool, recording: bool = False, url: str = "") -> None:
        values = {
            "isEnabled": on,
            "isAutomaticallyRecordingAudioVideoChatsEnabled": recording,
            "recordingServerUrl": url or f"{self.url}/recordings/",
        }
        self.change("/v4/livechat/audioVideoChatConfig", **values)

    def change(self, path: str, **values: object) -> None:
        """Put values by a request of the first administrator."""
        answer = httpx2.put(
            self.url + path,
            json=values,
            headers={"Authorization": f"Bearer {self.token()}"},
            timeout=PATIENCE,
            verify=TRUST,
        )
        assert answer.status_code == 200, answer.text

    def recordings(self) -> list[dict[str, Any]]:
        return list(self.ask("/library/recordings")["recordings"])

    def ask(self, path: str) -> dict[str, Any]:
        """Return the answer to a request of the first administrator."""
        headers = {"Authorization": f"Bearer {self.token()}"}
        answer = httpx2.get(self.url + path, headers=headers, timeout=PATIENCE, verify=TRUST)
        return dict(answer.raise_for_status().json())

    def archived(self, recording_id: str) -> Path:
        return self.data / "archive" / "library" / "1" / f"{recording_id}.mkv"

    def undelivered(self) -> list[str]:
        """Return what waits in the spool; journals of incomplete recordings are kept aside."""
        if not self.spool.exists():
            return []
        return sorted(path.name for path in self.spool.iterdir() if path.name != INCOMPLETE)


@cache
def migrated_database() -> bytes:
    """Return the file of a SQLite database without any site."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "visavis.db"
        open_store(str(path)).close()
        return path.read_bytes()


@contextmanager
def no_system_left() -> Iterator[None]:
    """Kill the systems that a failed test leaves running, so that the next test cannot fail."""
    before = set(System.running)
    try:
        yield
    finally:
        for left in System.running - before:
            left.kill()


class Parties:
    """A visitor's page and an agent's page, in two browsers that know nothing of each other."""

    def __init__(self, browsers: tuple[Browser, Browser], system: System) -> None:
        self.system = system
        self.since = datetime.now(UTC)
        self.checked: set[str] = set()
        """Recordings that have been compared with what the pages received."""

        self.lost: list[tuple[float, float]] = []
        """Spans of the wall clock of which recordings may lack something, as before a kill."""

        self._browsers = browsers
        self._pages: list[tuple[str, Page]] = []
        self._others: list[tuple[str, Any]] = []
        self.visitor, self.agent = self.another_visitor(), self.another_agent()

    def another_visitor(self) -> Page:
        """A page that shares nothing with the others but its browser."""
        return self._open(0, VISITOR)

    def another_agent(self) -> Page:
        return self._open(1, AGENT)

    def arrive(self) -> None:
        self.sign_in(self.agent, "admin@localhost", self.system.password)
        self.visitor.goto(f"{self.system.url}/demo")

    def sign_in(self, page: Page, email: str, password: str) -> None:
        self.system.sign_in(page, "/console", email, password)
        page.get_by_text(re.compile("You are online|switched off|You are away")).wait_for()

    def call(self, kind: str = "Video call", page: Page | None = None) -> None:
        """Press the button, and the one under the check before the call."""
        caller = page or self.visitor
        caller.get_by_role("button", name=kind).click()
        caller.get_by_role("button", name="Call now").click()

    def connect(self, kind: str = "Video call") -> None:
        self.call(kind)
        self.agent.get_by_role("button", name="Accept").click()
        self.wait_until("connected")

    def hang_up(self, page: Page | None = None) -> None:
        """The agent does, or whose page is given; the other side hears of it."""
        own = page or self.agent
        other = self.agent if own is self.visitor else self.visitor
        own.get_by_role("button", name="Hang up").click()
        expect(other.get_by_text("The call has ended").first).to_be_visible()

    def wait_until(self, state: str) -> None:
        for page, element in ((self.visitor, "visavis-widget"), (self.agent, "visavis-console")):
            # attached: on a small screen what the element shows is placed outside its own box
            page.wait_for_selector(f"{element}[data-state={state}]", state="attached")

    @property
    def pages(self) -> list[Page]:
        """Return the pages that are still open."""
        return [page for _, page in self._pages if not page.is_closed()]

    @property
    def others(self) -> list[Any]:
        """Return the pages of other browsers that take a side."""
        return [page for _, page in self._others]

    @contextmanager
    def joined_by(self, name: str, page: Any) -> Iterator[None]:
        """Let another browser's page take a side; `name` is that of its peer connection."""
        self._others.append((name, page))
        yield
        self._others.remove((name, page))

    def logs(self) -> dict[str, list[dict[str, Any]]]:
        """Return what the pages have logged of their calls, by the name of their connection."""
        everyone = [*((name, page) for name, page in self._pages if not page.is_closed())]
        everyone += self._others
        return {
            name: [
                log
                for own, page in everyone
                if own == name
                for log in json.loads(page.evaluate(LOGS))
            ]
            for name in (VISITOR, AGENT)
        }

    def close(self) -> None:
        for _, page in self._pages:
            page.context.close()

    def _open(self, browser: int, name: str) -> Page:
        page = new_page(self._browsers[browser])
        self._pages.append((name, page))
        return page


def administer(*arguments: object, said: str = "") -> str:
    """Run an administrative command; return what it prints.

    It runs in this process, since a command of its own imports for a second, and in a thread, since
    it has an event loop, and the caller's own may be running.
    """
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(
            CliRunner().invoke, visavis_command, [*map(str, arguments)], input=said
        ).result()
    assert result.exit_code == 0, result.output
    return result.stdout


def issue_token(data: Path, email: str) -> str:
    """Return a bearer token of an agent, as `visavis token issue` prints it.

    It is issued in this process, since a command imports for a second. A thread has an event loop
    for it: the caller's own may be running.
    """
    settings = settings_of(None, {"data_dir": data})

    async def issue() -> str:
        store = open_store(settings.database_address)
        try:
            services = Services(store)
            agent = await services.people.by_email(email)
            entry = services.auditor.entry(
                operator(agent.site_id),
                agent.site_id,
                ActionType.TOKEN_ISSUED,
                f"agent {email}",
                f"Issued a token of {email}",
            )
            bearer, lifetime = CredentialKind.BEARER, timedelta(hours=12)
            return await services.tokens.issue(agent, bearer, lifetime, entry)
        finally:
            store.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, issue()).result()


def launch(playwright: Playwright) -> Browser:
    """A browser with a fake camera and microphone."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FAKE_DEVICES)


def stats(page: Page, name: str) -> dict[str, float]:
    """Return the media received so far, by the browser's `getStats`."""
    script = f"""async () => {{
      const report = await {name}.peerConnection.getStats();
      const inbound = [...report.values()].filter(s => s.type === "inbound-rtp");
      const of = kind => inbound.find(s => s.kind === kind) ?? {{}};
      return {{ framesDecoded: of("video").framesDecoded ?? 0,
               videoPackets: of("video").packetsReceived ?? 0,
               audioPackets: of("audio").packetsReceived ?? 0, at: performance.now() / 1000 }};
    }}"""
    return dict(page.evaluate(script))


def videos(page: Page, name: str) -> set[str]:
    """The mids of the videos of which this browser decodes frame after frame.

    Empty too while the page is being loaded.
    """
    script = f"""async () => {{
      const count = async () => Object.fromEntries(
        [...(await {name}.peerConnection?.getStats() ?? new Map()).values()]
        .filter(s => s.type === "inbound-rtp" && s.kind === "video")
        .map(s => [s.mid, s.framesDecoded]));
      const before = await count();
      await new Promise(resolve => setTimeout(resolve, 700));
      const after = await count();
      return Object.keys(after).filter(mid => after[mid] > (before[mid] ?? 0) + 2);
    }}"""
    return set(page.evaluate(script))


def ffprobe(path: Path) -> dict[str, Any]:
    """Return ffprobe's report of a file, with the streams that play."""
    probed = dict(json.loads(_probed(path, path.stat().st_mtime_ns)))
    probed["streams"] = [s for s in probed["streams"] if s["codec_type"] != "attachment"]
    return probed


@lru_cache(maxsize=8)
def _probed(path: Path, _changed_at: int) -> str:
    """Start ffprobe once for a file: most tests ask for several parts of its report."""
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-show_chapters"]
    command += ["-of", "json", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def decoding_errors(path: Path) -> str:
    """Return ffmpeg's errors when it decodes every track from end to end."""
    command = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v?", "-map", "0:a?"]
    # or ffmpeg rounds times to the frame rate, and then complains of its own rounding
    command += ["-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-f", "null", "-"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stderr


def new_page(browser: Browser) -> Page:
    """A page that shares nothing with the others of its browser."""
    context: BrowserContext = browser.new_context(
        permissions=["camera", "microphone"],
        reduced_motion="reduce",  # what moves on its own is painted sixty times a second
    )
    context.set_default_timeout(1000 * PATIENCE)
    for script in PAGE_SCRIPTS:
        context.add_init_script(script)
    return context.new_page()


def children(pid: int) -> list[int]:
    """The processes that this one has started."""
    return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def free_port() -> int:
    """Return a port that is free for UDP and TCP, and stays reserved for this process's tests."""
    return free_media_port()


def free_media_port(count: int = 1) -> int:
    """Return the first of so many ports in a row, each as of `free_port`."""
    while True:
        ports = range(first := secrets.choice(PORTS), first + count)
        if not _lent.intersection(ports) and all(_is_free(port) for port in ports):
            try:
                fcntl.lockf(_ledger(), fcntl.LOCK_EX | fcntl.LOCK_NB, count, first)
            except OSError:  # of another process
                continue
            _lent.update(ports)
            return first


@cache
def _ledger() -> IO[bytes]:
    """Return a file of which each byte is a port: the process that has it locked uses the port.

    A product that is stopped does not hold its port, and is to find it again when it starts.
    """
    return (Path(tempfile.gettempdir()) / "visavis-test-ports").open("ab")


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except (OSError, OverflowError):
                return False
    return True


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
