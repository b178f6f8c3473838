"""The directory of the Unix sockets, also when a cleaner removes it."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner
from structlog.testing import capture_logs

from tests import http_clients
from tests.cli.commands import visavis
from tests.dying import dies_once
from tests.participants.people import Agent, Visitor, present
from tests.running import PATIENCE, System, children, eventually
from visavis import tasks
from visavis.cli import main, serve
from visavis.domain.delivery_status import RecordingServer
from visavis.local_socket import LocalSocket, require_private_directory
from visavis.outbound.errors import DeliveryError
from visavis.recorder.tus_upload import TusUploader
from visavis.run_directory import PREFIX, RunDirectory, remove_abandoned

pytestmark = pytest.mark.anyio

NOBODY = 65534


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Return a directory for temporary files whose path is short enough for sockets.

    pytest has created `tmp_path` before this directory becomes the place for temporary files.
    """
    with tempfile.TemporaryDirectory() as directory:
        monkeypatch.setattr(tempfile, "tempdir", directory)
        monkeypatch.setenv("TMPDIR", directory)
        yield Path(directory)


async def test_a_directory_that_is_removed_is_made_again(temporary: Path) -> None:
    directory = RunDirectory()
    assert list(temporary.iterdir()) == [directory.path]
    assert directory.path.stat().st_mode & 0o777 == 0o700
    await directory.hold()
    shutil.rmtree(directory.path)
    with capture_logs() as logs:
        await directory.hold()
    assert [entry["event"] for entry in logs] == ["run directory was removed and is created again"]
    remove_abandoned(temporary)  # it is locked again
    assert directory.path.stat().st_mode & 0o777 == 0o700
    directory.remove()
    assert list(temporary.iterdir()) == []
    directory.remove()


async def test_the_directory_is_held_after_a_failure(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    directory = RunDirectory()
    shutil.rmtree(directory.path)
    with dies_once("run directory", directory, "hold"):
        holding = tasks.run_every("run directory", 0.01, directory.hold)
        async with asyncio.timeout(PATIENCE):
            while not directory.path.exists():
                await asyncio.sleep(0.01)
    await tasks.cancelled(holding)
    directory.remove()


async def test_a_directory_that_another_start_removes_is_made_again(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, is_first = tempfile.mkdtemp, True

    def make(prefix: str) -> str:
        nonlocal is_first
        made = real(prefix=prefix)
        if is_first:
            is_first = False
            remove_abandoned(temporary)
        return made

    monkeypatch.setattr(tempfile, "mkdtemp", make)
    directory = RunDirectory()
    assert list(temporary.iterdir()) == [directory.path]
    # another server holds the lock in order to remove the directory
    shutil.rmtree(directory.path)
    monkeypatch.setattr("visavis.run_directory.ensure_private_directory", lambda _: None)
    await directory.hold()
    assert not directory.path.exists()
    monkeypatch.undo()
    await directory.hold()
    assert directory.path.exists()
    directory.remove()


def test_only_our_own_abandoned_directories_are_removed(temporary: Path) -> None:
    directory = RunDirectory()
    abandoned, foreign, link = (temporary / f"{PREFIX}{name}" for name in ("a", "b", "c"))
    for made in (abandoned, foreign, temporary / "visavis", temporary / "target"):
        made.mkdir(mode=0o700)
    (abandoned / "app.sock").touch()
    (temporary / "target" / "file").touch()
    link.symlink_to(temporary / "target")
    (temporary / f"{PREFIX}file").touch()
    foreign.chmod(0o777) if os.geteuid() else os.chown(foreign, NOBODY, NOBODY)
    remove_abandoned(temporary)
    assert not abandoned.exists()
    assert directory.path.exists()
    assert foreign.exists()
    assert (temporary / "target" / "file").exists()
    assert (temporary / f"{PREFIX}file").exists()
    directory.remove()


async def test_sockets_are_neither_opened_nor_used_in_the_directory_of_others(
    temporary: Path,
) -> None:
    """Once the directory has been removed, any user can create one with its name."""
    path = temporary / "run" / "app.sock"
    path.parent.mkdir()
    path.parent.chmod(0o777)
    for refused in (LocalSocket(path).open, partial(require_private_directory, path.parent)):
        with pytest.raises(OSError, match="only this user can write to"):
            refused()
    url = "http://archive.invalid/recordings/"
    uploader = TusUploader(
        archive_url=url, archive_key=lambda: "key", allow_private=False, archive_socket=path
    )
    with pytest.raises(DeliveryError, match=r"cannot be reached: .* only this user can write to"):
        uploader.client(RecordingServer(url, None))


def run_directories(temporary: Path) -> list[Path]:
    return list(temporary.glob(f"{PREFIX}*"))


def test_a_start_that_fails_leaves_nothing_behind(temporary: Path, tmp_path: Path) -> None:
    refused = visavis("serve", "--data", tmp_path / "data", "--host", "192.0.2.1")
    assert refused.returncode == 1
    assert run_directories(temporary) == []


def test_a_start_that_is_stopped_leaves_nothing_behind(
    temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Path] = []

    def stop(*_: object) -> None:
        found.extend(run_directories(temporary))
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(serve, "create_first_site", stop)
    ports = ("--port", "0", "--media-port", "0")
    stopped = CliRunner().invoke(main, ("serve", "--data", str(tmp_path / "data"), *ports))
    assert stopped.exit_code == 128 + signal.SIGTERM
    assert len(found) == 1
    assert run_directories(temporary) == []
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.fault
def test_the_next_start_removes_what_a_kill_left_behind(temporary: Path, tmp_path: Path) -> None:
    system, other = (System(tmp_path / name).start() for name in ("data", "other"))
    (others,) = set(run_directories(temporary)) - {run_directory(system)}
    abandoned, parts = run_directory(system), children(system.pid)
    system.end_by(signal.SIGKILL)
    eventually(lambda: not any(map(is_running, parts)))  # one of them has the archive's lock
    assert set(run_directories(temporary)) == {abandoned, others}
    system.start()
    assert set(run_directories(temporary)) == {run_directory(system), others}
    assert not abandoned.exists()
    other.stop()
    assert system.end_by(signal.SIGTERM) == 0
    assert run_directories(temporary) == []


def run_directory(system: System) -> Path:
    """Return the directory of a product's sockets, from the kernel's list of them."""
    sockets = Path("/proc/net/unix").read_text().splitlines()
    inodes = {
        str(link.readlink()).removeprefix("socket:[").removesuffix("]")
        for link in Path(f"/proc/{system.pid_of('app')}/fd").iterdir()
    }
    (path,) = {
        line.split()[-1]
        for line in sockets
        if line.endswith("/app.sock") and line.split()[6] in inodes
    }
    return Path(path).parent


def is_running(pid: int) -> bool:
    """Whether a process has not ended; one that nobody has waited for yet has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "XZ"


@pytest.mark.fault
@pytest.mark.media
async def test_calls_go_on_without_the_directory(temporary: Path, tmp_path: Path) -> None:
    system = await asyncio.to_thread(System(tmp_path / "data").start)
    await asyncio.to_thread(lambda: system.configure(on=True, recording=True))
    url = system.url.replace("http", "ws", 1)
    agent = Agent(f"{url}/signaling/agent", system.token())
    visitor = Visitor(f"{url}/signaling/visitor?site=1")
    parts = [system.pid_of(part) for part in ("app", "media", "recorder")]
    directory = run_directory(system)
    sockets = [directory / "app.sock", directory / "media-0.sock"]
    async with present(agent, visitor), asyncio.timeout(3 * PATIENCE):
        await agent.is_on_duty.wait()
        await connect(visitor)

        shutil.rmtree(directory)
        await until_flowing(visitor)
        await asyncio.to_thread(eventually, lambda: all(path.is_socket() for path in sockets))
        for path in sockets:
            path.unlink()
            await asyncio.to_thread(eventually, path.is_socket)
        await until_flowing(visitor)
        assert [system.pid_of(part) for part in ("app", "media", "recorder")] == parts

        # the recorder and a new app use the sockets that were opened again
        await visitor.hang_up()
        await visitor.is_over.wait()
        await asyncio.to_thread(eventually, lambda: not system.undelivered())
        assert len(await asyncio.to_thread(system.recordings)) == 1
        system.kill_part("app")
        await asyncio.to_thread(eventually, lambda: ready(system))
    await asyncio.to_thread(system.stop)
    assert run_directories(temporary) == []


async def connect(visitor: Visitor) -> None:
    await visitor.call("Visitor")
    await visitor.is_connected.wait()
    await until_flowing(visitor)


async def until_flowing(visitor: Visitor) -> None:
    peer = visitor.peers[1]
    least = peer.received + 50
    while peer.received < least:
        assert not visitor.is_over.is_set()
        await asyncio.sleep(0.05)


def ready(system: System) -> bool:
    try:
        return http_clients.get(f"{system.url}/readyz").is_success
    except httpx2.TransportError:
        return False
