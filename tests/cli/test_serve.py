"""Starting, stopping, and what is said when it cannot be."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import ssl
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from tests import http_clients
from tests.certificates import write_certificate
from tests.cli.commands import visavis, visavis_here
from tests.running import System, eventually, free_media_port
from visavis.cli import context, main, serve
from visavis.domain.config import Config
from visavis.services.ports import Transaction
from visavis.store import open_store
from visavis.supervisor import CannotStartError


def test_init_once_then_a_token_and_nothing_else(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = visavis("init", "--data", data, "--email", "boss@example.com", "--password", "pw")
    assert made.returncode == 0
    assert "boss@example.com" in made.stdout
    again = visavis_here("init", "--data", data)
    assert again.exit_code == 1
    assert "already set up" in again.stderr

    token = visavis_here("token", "issue", "--data", data, "--email", "Boss@example.com")
    assert token.exit_code == 0
    assert token.stdout.startswith("vv_")
    assert len(token.stdout.split()) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--email", "nobody@example.com"), "There is no agent nobody@example.com."),
        (("--email", "admin@localhost", "--expires", "soon"), "--expires requires a number"),
    ],
)
def test_errors_say_what_to_do(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    CliRunner().invoke(main, ("init", "--data", str(tmp_path)))
    result = CliRunner().invoke(main, ("token", "issue", "--data", str(tmp_path), *arguments))
    assert (result.exit_code, result.stdout) == (1, "")
    assert sentence in result.stderr


def test_a_directory_that_is_not_set_up(tmp_path: Path) -> None:
    result = visavis_here("token", "issue", "--data", tmp_path / "x", "--email", "a@b")
    assert result.exit_code == 1
    assert "visavis init" in result.stderr


@pytest.mark.parametrize("option", ["--port", "--media-port"])
def test_a_taken_port_is_told_before_anything_is_made(tmp_path: Path, option: str) -> None:
    kind = socket.SOCK_STREAM if option == "--port" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        ports = {"--port": "0", "--media-port": "0", option: str(taken.getsockname()[1])}
        options = [word for pair in ports.items() for word in pair]
        result = visavis_here("serve", "--data", tmp_path, "--media-workers", 1, *options)
    assert result.exit_code == 1
    number = ports[option]
    assert re.search(rf"port {number} (\(UDP and TCP\) )?is already in use", result.stderr)
    assert f"choose another with {option}" in result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "visavis.db").exists()


def test_the_password_is_told_before_anything_can_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def cannot_start(*_: object, **__: object) -> None:
        raise CannotStartError("app")

    monkeypatch.setattr(serve, "supervise", cannot_start)
    command = ("serve", "--data", str(tmp_path), "--port", "0", "--media-port", "0")
    first = CliRunner().invoke(main, command)
    assert first.exit_code == 1
    assert re.search(r"password  \S{20}", first.stdout)
    again = CliRunner().invoke(main, command)
    assert again.exit_code == 1
    assert again.stdout == ""


def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> str:
    """Start a server that ends once it has been announced; return what it printed."""

    async def announced(*_: object, announce: Callable[[], None], **__: object) -> None:
        announce()

    monkeypatch.setattr(serve, "supervise", announced)
    ports = ("--port", "0", "--media-port", "0", "--media-workers", "1")
    result = CliRunner().invoke(main, ("serve", "--data", str(tmp_path), *ports, *options))
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_start_says_what_a_person_does_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = start(tmp_path, monkeypatch)
    (password,) = set(re.findall(r"password  (\S+)", first))
    url = re.search(r"running at (\S+)", first)
    assert url
    assert f"1. Sign in at {url[1]}/console as admin@localhost, password {password}\n" in first
    assert f"2. Switch calls on at {url[1]}/admin\n" in first
    assert f"3. Leave the console open. Open {url[1]}/demo in another window" in first
    assert "and press Video call." in first


def test_a_later_start_says_only_what_is_still_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(tmp_path, monkeypatch)
    with closing(open_store(str(tmp_path / "visavis.db"))) as store:
        asyncio.run(store.write(lambda rows: rows.settings.put_config(Config(1, is_enabled=True))))
        asyncio.run(store.write(_replace_administrator))
    later = start(tmp_path, monkeypatch)
    assert "Switch calls on" not in later
    assert "2. Leave the console open." in later
    assert "/console as boss@example.com\n" in later
    assert "Nobody has signed in yet." in later
    assert "agent password boss@example.com --data" in later
    assert "--public-url" not in later


def _replace_administrator(rows: Transaction) -> None:
    (first,) = rows.agents.list_by_site(1)
    rows.agents.disable(1, first.id, is_disabled=True)
    rows.agents.add(1, "boss@example.com", "Boss", "-", is_administrator=True)


def test_the_hint_to_a_new_password_stands_until_somebody_has_signed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ("agent", "password", "admin@localhost", "--data", str(tmp_path))
    hint = " ".join(command)
    with monkeypatch.context() as dying:  # killed after the account was made
        dying.setattr(serve, "print_credentials", lambda _: sys.exit(0))
        assert start(tmp_path, monkeypatch) == ""
    for _ in range(2):
        assert hint in start(tmp_path, monkeypatch)
    password = CliRunner().invoke(main, command).stdout.split()[-1]
    assert hint in start(tmp_path, monkeypatch)
    with closing(open_store(str(tmp_path / "visavis.db"))) as store:
        people = context.CommandContext(store).people
        asyncio.run(people.sign_in("admin@localhost", password, "198.51.100.1"))
    assert "agent password" not in start(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("options", "is_said"),
    [
        (("--public-url", "http://chat.example.com"), True),
        (("--public-url", "https://chat.example.com"), False),
        (("--public-url", "http://localhost:8080"), False),
    ],
)
def test_where_browsers_will_not_allow_the_camera_the_start_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], *, is_said: bool
) -> None:
    assert ("allow the camera only over https" in start(tmp_path, monkeypatch, *options)) is is_said


def test_the_program_is_named_as_the_shell_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "bin" / "visavis"
    script.parent.mkdir()
    script.write_text("")
    script.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(script)])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    assert serve.program() == "bin/visavis"
    monkeypatch.chdir("/")
    assert serve.program() == str(script).lstrip("/") or serve.program() == str(script)
    monkeypatch.setenv("PATH", str(script.parent))
    assert serve.program() == "visavis"


@pytest.mark.fault
def test_a_second_server_on_a_data_directory_is_refused(tmp_path: Path) -> None:
    environment = {**os.environ, "http_proxy": "http://127.0.0.1:1", "NO_PROXY": ""}
    options = ("--host", "::")
    system = System(tmp_path / "data", *options, environment=environment, is_forked=False).start()
    said = (tmp_path / "data.log").read_text()
    assert f"running at http://[::1]:{system.port} " in said
    assert "visavis agent password admin@localhost --data" in said
    for address in (f"[::1]:{system.port}", f"127.0.0.1:{system.port}"):
        assert http_clients.get(f"http://{address}/healthz", trust_env=False).is_success
    others = ("--no-archive", "--port", 0, "--media-port", 0)
    second = visavis("serve", "--data", system.data, *others)
    assert second.returncode == 1
    assert "Another visavis serve uses" in second.stderr
    system.stop()


def test_the_supervisor_asks_the_app_itself(tmp_path: Path) -> None:
    path = tmp_path / "app.sock"
    health = serve.Health(path)
    assert not health.is_settled()
    answers = iter([(503, "no media worker"), (503, "no media worker"), (200, "ready")])
    health._ask = lambda: next(answers)  # type: ignore[method-assign]
    assert not health.is_settled()
    assert health._answering_since is not None
    health._answering_since -= serve.READY_SECONDS + 1
    assert health.is_settled()
    assert health.reason == "no media worker"
    assert health.is_settled()
    assert health.reason == ""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--data", "{file}"), "is not a directory"),
        (("--data", "{file}/data"), "is not a directory"),
        (("--host", "no.such.host.invalid"), "the name no.such.host.invalid is not known"),
        (("--host", "192.0.2.1"), "does not have the address 192.0.2.1"),
    ],
)
def test_a_start_that_cannot_be_is_told_in_words(
    tmp_path: Path, options: tuple[str, str], sentence: str
) -> None:
    file = tmp_path / "file"
    file.touch()
    words = [word.format(file=file) for word in options]
    ports = ("--media-port", str(free_media_port()), "--media-workers", "1")
    command = ["serve", *ports, *words]
    if "--data" not in words:
        command += ["--data", str(tmp_path / "data")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert sentence in result.stderr


SHARED = ("--database", "postgresql://db1/visavis", "--bus", "nats://n1")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "--app-workers 2 needs --database with PostgreSQL and --bus with NATS"),
        (SHARED[:2], "--app-workers 2 needs --database with PostgreSQL and --bus"),
        (SHARED[2:], "--app-workers 2 needs --database with PostgreSQL and --bus"),
        (("--database", "/tmp/x.db", *SHARED[2:]), "--app-workers 2 needs --database with"),
        (SHARED, "--app-workers 2 needs --storage, an object store"),
        (
            (*SHARED, "--roles", "media,recorder", "--recorder-address", "127.0.0.1:1"),
            "--app-workers 2 is for nodes with an app",
        ),
    ],
)
def test_several_app_processes_need_what_they_share(
    tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    command = ("serve", "--data", str(tmp_path), "--app-workers", "2", *options)
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert not list(tmp_path.iterdir())


def test_a_temporary_directory_that_sockets_cannot_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    result = CliRunner().invoke(main, ("serve", "--data", str(tmp_path / "data")))
    assert result.exit_code == 1
    assert "too long for sockets" in result.stderr
    monkeypatch.setattr(tempfile, "tempdir", str(deep / "missing"))
    result = CliRunner().invoke(main, ("serve", "--data", str(tmp_path / "data")))
    assert "no usable directory for temporary files" in result.stderr


def test_a_secret_on_the_command_line_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = ("--turn-secret", "s3cret", "--tls-cert", "x")
    result = CliRunner().invoke(main, ("serve", "--data", str(tmp_path), *secret))
    assert result.exit_code == 1
    said = CliRunner().invoke(
        main, ("init", "--data", str(tmp_path / "data"), "--password", "s3cret")
    )
    assert "can see --password in the list of processes. Use VISAVIS_PASSWORD" in said.stderr
    monkeypatch.setenv("VISAVIS_PASSWORD", "s3cret")
    quiet = CliRunner().invoke(main, ("init", "--data", str(tmp_path / "other")))
    assert (quiet.exit_code, quiet.stderr) == (0, "")
    warned: list[str] = []
    monkeypatch.setattr(serve, "_warn_of_visible_secret", lambda option, _: warned.append(option))
    monkeypatch.setattr(serve, "make_directory", lambda _: context.fail("enough"))
    database = ("--database", "postgresql://chat:secret@db/chat")
    CliRunner().invoke(main, ("serve", "--turn-secret", "s3cret", *database))
    assert warned == ["--database", "--turn-secret"]
    CliRunner().invoke(main, ("serve", "--bus", "nats://chat:secret@n1,n2"))
    assert warned.pop() == "--bus"
    CliRunner().invoke(main, ("serve", "--bus", "nats://n1,n2"))
    CliRunner().invoke(main, ("serve", "--database", "postgresql://chat@db/chat"))
    assert len(warned) == 2


@pytest.mark.fault
def test_a_token_issued_while_the_server_runs_is_good_at_once(system: System) -> None:
    headers = {"Authorization": f"Bearer {system.token()}"}
    url = f"{system.url}/v4/livechat/audioVideoChatConfig"
    answer = http_clients.get(url, headers=headers)
    assert answer.json()["recordingServerUrl"] == f"{system.url}/recordings/"
    assert http_clients.get(f"{system.url}/healthz").status_code == 200
    assert "visavis_http_requests_total" in http_clients.get(f"{system.url}/metrics").text


@pytest.mark.fault
def test_https_without_a_proxy(tmp_path: Path) -> None:
    cert, key = write_certificate(tmp_path)
    system = System(tmp_path / "data", "--tls-cert", str(cert), "--tls-key", str(key)).start()
    trust = ssl.create_default_context(cafile=str(cert))
    trust.check_hostname = False
    answer = http_clients.get(f"https://127.0.0.1:{system.port}/console", verify=trust)
    assert answer.status_code == 200
    assert "strict-transport-security" in answer.headers

    write_certificate(tmp_path)
    system.signal(signal.SIGHUP)
    renewed = ssl.create_default_context(cafile=str(cert))

    def is_trusted() -> bool:
        try:
            return http_clients.get(
                f"https://127.0.0.1:{system.port}/healthz", verify=renewed
            ).is_success
        except httpx2.ConnectError:
            return False

    eventually(is_trusted)
    system.stop()


def test_half_of_https_is_refused(tmp_path: Path) -> None:
    cert, _ = write_certificate(tmp_path)
    half = visavis_here("serve", "--data", tmp_path, "--tls-cert", cert)
    assert "needs both" in half.stderr
    wrong = visavis_here("serve", "--data", tmp_path, "--tls-cert", cert, "--tls-key", cert)
    assert "cannot be used" in wrong.stderr
    assert (half.exit_code, wrong.exit_code) == (1, 1)


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("media.example.com", "not a name: media.example.com"),
        ("203.0.113.5:8081", "not a name: 203.0.113.5:8081"),
        ("0.0.0.0", "browsers cannot send to 0.0.0.0"),
        ("fe80::1", "browsers cannot send to fe80::1"),
    ],
)
def test_what_browsers_cannot_send_to_is_not_advertised(
    tmp_path: Path, address: str, sentence: str
) -> None:
    command = ("serve", "--data", str(tmp_path), "--advertise-address", address)
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert sentence in result.stderr


@pytest.mark.fault
def test_each_media_worker_is_a_process_of_its_own(tmp_path: Path) -> None:
    port = free_media_port(3)
    options = ("--media-port", str(port), "--media-workers", "3")
    system = System(tmp_path / "data", *options, is_forked=False).start()

    def living() -> float:
        metrics = http_clients.get(f"{system.url}/metrics").text
        return float(re.search(r"^visavis_media_workers (\S+)$", metrics, re.MULTILINE)[1])  # type: ignore[index]

    eventually(lambda: living() == 3)
    before = [system.pid_of(f"media-{number}") for number in range(3)]
    with system.nobody_started_again():
        system.kill_part("media-1")
        eventually(lambda: living() == 2)
        assert http_clients.get(f"{system.url}/readyz").status_code == 200
    eventually(lambda: living() == 3)
    after = [system.pid_of(f"media-{number}") for number in range(3)]
    assert [a == b for a, b in zip(before, after, strict=True)] == [True, False, True]
    for number in range(3):
        socket.create_connection(("127.0.0.1", port + number)).close()
    system.stop()


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    result = visavis_here("serve", "--data", tmp_path, environment={"VISAVIS_PORT": "http"})
    assert result.exit_code == 1
    assert "VISAVIS_PORT" in result.stderr
    assert isinstance(result.exception, SystemExit)
