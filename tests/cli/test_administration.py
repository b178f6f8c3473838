"""Sites, agents, roles, clients, keys, tokens, the switch and the log, from the command line."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from tests.postgresql import Cluster
from tests.running import VISAVIS
from visavis.cli import main
from visavis.domain.people import Permission
from visavis.domain.policy import RecordingPolicy
from visavis.settings import Settings, encode_settings
from visavis.store import open_store
from visavis.supervisor import CANNOT_START

Run = Callable[..., Result]


@pytest.fixture
def run(database: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Commands on one set-up database, of each kind."""
    monkeypatch.setenv("VISAVIS_DATABASE", database)

    def perform(*arguments: str, said: str = "", fails: bool = False) -> Result:
        result = CliRunner().invoke(main, arguments, input=said)
        assert result.exit_code == int(fails), result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    perform("init", "--email", "boss@example.com", "--password", "pw")
    return perform


def listed(run: Run, *command: str) -> list[dict[str, Any]]:
    return list(json.loads(run(*command, "--json").stdout))


def test_the_first_site_has_a_client(run: Run) -> None:
    (client,) = listed(run, "client", "list")
    assert client["public"] is True
    assert client["grants"] == ["authorization_code", "password", "refresh_token"]
    assert "already set up" in run("init", fails=True).stderr


def test_agents_come_and_go(run: Run) -> None:
    made = run("agent", "add", "Ann@Example.com", "--permission", "manage_settings")
    assert re.search(r"Password \(not shown again\): \S{20}", made.stdout)
    run("agent", "add", "bo@example.com", "--name", "Bo", "--password-stdin", said="geheim\n")
    ann, bo, boss = listed(run, "agent", "list")
    assert ann["email"] == "ann@example.com"
    assert ann["permissions"] == ["Manage Settings"]
    assert (bo["name"], bo["permissions"], boss["administrator"]) == ("Bo", [], True)
    assert "View Audit Log" in run("agent", "grant", "bo@example.com", "view audit log").stdout
    assert "nothing" in run("agent", "revoke", "bo@example.com", "view_audit_log").stdout
    run("agent", "disable", "ann@example.com")
    assert listed(run, "agent", "list")[0]["disabled"] is True
    run("agent", "enable", "ann@example.com")
    assert listed(run, "agent", "list")[0]["disabled"] is False
    assert "not shown again" in run("agent", "password", "ann@example.com").stdout
    assert run("agent", "password", "bo@example.com", "--password-stdin", said="x\n").stdout == ""
    assert "ann@example.com" in run("agent", "list").stdout


def test_roles_give_their_permissions(run: Run) -> None:
    run("agent", "add", "ann@example.com")
    run("role", "add", "Supervisors", "--permission", "View Recordings")
    run("role", "grant", "Supervisors", "Manage Settings")
    run("role", "assign", "Supervisors", "ann@example.com")
    ann = listed(run, "agent", "list")[0]
    assert ann["roles"] == ["Supervisors"]
    assert ann["permissions"] == ["Manage Settings", "View Recordings"]
    run("role", "revoke", "Supervisors", "Manage Settings")
    assert listed(run, "role", "list")[0]["permissions"] == ["View Recordings"]
    run("role", "unassign", "Supervisors", "ann@example.com")
    assert listed(run, "agent", "list")[0]["permissions"] == []


def test_sites_are_apart(run: Run) -> None:
    assert "Site 2" in run("site", "add", "Second").stdout
    assert "Choose a site with --site" in run("agent", "list", fails=True).stderr
    run("agent", "add", "two@example.com", "--site", "2", "--administrator")
    assert [a["email"] for a in listed(run, "agent", "list", "--site", "2")] == ["two@example.com"]
    run("role", "add", "R", "--site", "2")
    no_agent = run("role", "assign", "R", "boss@example.com", "--site", "2", fails=True)
    assert "no agent boss" in no_agent.stderr
    run("site", "disable", "2")
    assert [s["disabled"] for s in listed(run, "site", "list")] == [False, True]
    run("site", "enable", "2")
    assert "no site 9" in run("agent", "list", "--site", "9", fails=True).stderr
    assert "no site 9" in run("site", "disable", "9", fails=True).stderr


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (("agent", "add", "no-address"), "is not an e-mail address"),
        (("agent", "add", "boss@example.com"), "already"),
        (("agent", "add", "a@b", "--name", "x" * 201), "1 to 200"),
        (("agent", "grant", "boss@example.com", "fly"), "There are: Manage Settings"),
        (("agent", "disable", "boss@example.com"), "last administrator"),
        (("agent", "password", "nobody@example.com"), "There is no agent"),
        (("role", "grant", "R", "manage_settings"), "There is no role R"),
        (("client", "add", "C", "--grant", "authorization_code"), "requires a redirect URI"),
        (("client", "add", "C", "--grant", "client_credentials"), "requires a secret and an agent"),
        (("client", "disable", "none"), "There is no client"),
        (("api-key", "delete", "none"), "There is no key"),
        (("api-key", "add", "nobody@example.com"), "There is no agent"),
        (("config", "set", "--recording-server-url", "ftp://x"), "absolute http or https"),
        (("config", "set", "--record"), "requires a recording server"),
        (("token", "issue", "--email", "boss@example.com", "--expires", "soon"), "such as 12h"),
    ],
)
def test_what_cannot_be_is_said(run: Run, command: tuple[str, ...], sentence: str) -> None:
    result = run(*command, fails=True)
    assert sentence in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (("site", "add", "Second"), {"id", "name"}),
        (("agent", "add", "ann@example.com"), {"id", "email", "site", "password"}),
        (("agent", "grant", "boss@example.com", "view_audit_log"), {"email", "permissions"}),
        (("agent", "revoke", "boss@example.com", "view_audit_log"), {"email", "permissions"}),
        (("agent", "password", "boss@example.com"), {"email", "password"}),
        (("role", "add", "R"), {"name", "site"}),
        (("api-key", "add", "boss@example.com"), {"id", "key"}),
        (("token", "issue", "--email", "boss@example.com"), {"access_token", "expires_in"}),
        (("recordings", "retry", "--all"), {"retried"}),
        (
            (
                "client",
                "add",
                "C",
                "--grant",
                "client_credentials",
                "--acts-as",
                "boss@example.com",
            ),
            {"client_id", "client_secret"},
        ),
    ],
)
def test_whatever_is_printed_can_be_had_as_json(
    run: Run, command: tuple[str, ...], fields: set[str]
) -> None:
    printed = json.loads(run(*command, "--json").stdout)
    assert set(printed) == fields


def test_a_password_that_is_read_is_not_printed(run: Run) -> None:
    command = ("agent", "password", "boss@example.com", "--password-stdin", "--json")
    assert json.loads(run(*command, said="new\r\n").stdout) == {"email": "boss@example.com"}


@pytest.mark.parametrize("said", ["", "\n"])
def test_an_empty_standard_input_is_no_password(run: Run, said: str) -> None:
    for command in (("add", "ann@example.com"), ("password", "boss@example.com")):
        result = run("agent", *command, "--password-stdin", said=said, fails=True)
        assert "no password on standard input" in result.stderr
    assert [agent["email"] for agent in listed(run, "agent", "list")] == ["boss@example.com"]


@pytest.mark.parametrize("said", ["", "vv_nobody\n"])
def test_a_token_that_there_is_not_cannot_be_revoked(run: Run, said: str) -> None:
    assert "no such token" in run("token", "revoke", said=said, fails=True).stderr


def test_every_command_honours_the_configuration_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "visavis.toml"
    file.write_text(f'data_dir = "{tmp_path}/data"\n')
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(main, ("init", "--json", "--config", str(file)))
    assert json.loads(made.stdout)["email"] == "admin@localhost"
    monkeypatch.setenv("VISAVIS_CONFIG", str(file))
    for command in (("agent", "list"), ("archive", "upload-key", "add", "theirs", "--json")):
        assert CliRunner().invoke(main, command).exit_code == 0
    monkeypatch.setenv("VISAVIS_PROT", "1")
    refused = CliRunner().invoke(main, ("agent", "list"))
    assert refused.exit_code == 1
    assert "no setting VISAVIS_PROT" in refused.stderr


def test_a_standard_output_that_is_full_or_closed(tmp_path: Path) -> None:
    command = f"{VISAVIS} init --data {tmp_path}/data; {VISAVIS} agent list --data {tmp_path}/data"
    for redirection in (">/dev/full", ">&-"):
        made = ["sh", "-c", f"{{ {command}; }} {redirection}"]
        result = subprocess.run(made, capture_output=True, text=True, check=False)
        assert "Traceback" not in result.stderr
        if redirection == ">/dev/full":
            assert result.returncode == 1
            assert result.stderr.count("Standard output cannot be written") == 2


@pytest.mark.postgresql
@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text_is_refused(
    cluster: Cluster, tmp_path: Path, encoding: str
) -> None:
    place = f"ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    options = ("--data", str(tmp_path), "--database", cluster.empty_database(place))
    for command in ("init", "serve"):
        result = CliRunner().invoke(main, (command, *options))
        assert result.exit_code == 1
        assert f"its encoding is {encoding}: create it with" in result.stderr


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "visavis.db"
    assert CliRunner().invoke(main, ("init", "--data", str(tmp_path))).exit_code == 0
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    for command in ("serve", "agent list"):
        options = ("--data", str(tmp_path))
        result = CliRunner().invoke(main, (*command.split(), *options))
        assert result.exit_code == 1
        assert "its schema (9999) is of a newer version of Visavis" in result.stderr
    settings = encode_settings(Settings(data_dir=tmp_path, run_dir=tmp_path)) + b"\n"
    part = subprocess.run(
        [VISAVIS, "part", "recorder"], input=settings, capture_output=True, check=False
    )
    assert part.returncode == CANNOT_START
    assert b"newer version" in part.stderr
    assert b"Traceback" not in part.stderr


def test_a_role_stands_once(run: Run) -> None:
    run("role", "add", "R")
    assert "already" in run("role", "add", "R", fails=True).stderr


def test_programs_get_their_secrets_once(run: Run) -> None:
    shown = run(
        *("client", "add", "Reports", "--grant", "client_credentials"),
        *("--acts-as", "boss@example.com"),
    ).stdout
    client_id = re.search(r"client_id +(\w+)", shown)
    assert client_id
    assert "vvs_" in shown
    run("client", "set-grants", client_id[1], "--grant", "password")
    run("client", "disable", client_id[1])
    reports = next(c for c in listed(run, "client", "list") if c["name"] == "Reports")
    assert reports["grants"] == ["password"]
    assert reports["disabled"] is True
    run("client", "enable", client_id[1])
    public = ("client", "add", "App", "--grant", "authorization_code", "--public")
    assert "secret" not in run(*public, "--redirect-uri", "https://a.example/back").stdout
    assert "vvk_" in run("api-key", "add", "boss@example.com", "--name", "CRM").stdout
    (key,) = listed(run, "api-key", "list")
    assert (key["name"], key["agent"]) == ("CRM", "boss@example.com")
    run("api-key", "delete", key["id"])
    assert listed(run, "api-key", "list") == []
    assert "There are none" in run("api-key", "list").stderr


def test_a_token_and_nothing_else(run: Run) -> None:
    token = run("token", "issue", "--email", "Boss@example.com", "--expires", "90s").stdout
    assert re.fullmatch(r"vv_\S+\n", token)
    run("token", "revoke", said=token)


def test_the_switch_is_audited(run: Run) -> None:
    assert json.loads(run("config", "get").stdout) == {
        "isEnabled": False,
        "isAutomaticallyRecordingAudioVideoChatsEnabled": False,
        "recordingServerUrl": "",
    }
    run("config", "set", "--record", "--recording-server-url", "https://tus.example/files")
    assert json.loads(run("config", "enable").stdout)["isEnabled"] is True
    assert json.loads(run("config", "disable").stdout)["isEnabled"] is False
    log = listed(run, "audit")
    assert [entry["field"] for entry in log[:2]] == ["isEnabled", "isEnabled"]
    assert {entry["who"] for entry in log} == {"command line"}
    assert log[0]["new"] == "false"
    assert len(listed(run, "audit", "--limit", "1")) == 1


def test_a_new_recording_server_needs_its_own_secret(run: Run, database: str) -> None:
    run("config", "set", "--recording-server-url", "https://a.example/")
    new = ("config", "set", "--recording-server-url", "https://b.example/")
    run(*new, "--secret-stdin", said="first\n")  # where none is stored, none is needed
    assert "secret" not in run("config", "get").stdout
    store = open_store(database)
    policy = RecordingPolicy(1, secret="s", secret_origin="")
    asyncio.run(store.write(lambda rows: rows.settings.put_policy(policy)))
    store.close()
    moved = ("config", "set", "--recording-server-url", "https://c.example/")
    assert "recordingServerSecret" in run(*moved, fails=True).stderr
    run(*moved, "--secret-stdin", said="second\n")


def test_the_audit_log_is_verified(run: Run, database: str, tmp_path: Path) -> None:
    run("site", "add", "Second")
    assert "3 entries, unbroken. Last: 3:" in run("audit", "verify").stdout
    (one, two) = listed(run, "audit", "verify")
    assert (one["entries"], one["unbroken"], two["site"], two["entries"]) == (3, True, 2, 1)
    anchor = f"{one['last']['sequence']}:{one['last']['hash']}"
    run("audit", "verify", "--site", "1", "--anchor", anchor)
    assert (
        "SEQUENCE" not in run("audit", "verify", "--site", "1", "--anchor", "x", fails=True).stdout
    )
    store = open_store(database)
    with store._database.engine.begin() as connection:
        connection.execute(
            text("UPDATE audit SET summary = 'x' WHERE site_id = 1 AND sequence = 2")
        )
    store.close()
    broken = run("audit", "verify", fails=True).stdout
    assert re.search(r"Site 1: broken at entry 2 \(\w+\): its content has been changed", broken)
    assert "Site 2: 1 entry, unbroken" in broken
    (told, _) = json.loads(run("audit", "verify", "--json", fails=True).stdout)
    assert (told["unbroken"], told["broken"]["sequence"]) == (False, 2)


def test_the_audit_log_is_exported(run: Run, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in run("audit", "export").stdout.splitlines()]
    assert [row["actionType"] for row in rows][-1] == "auditLogExported"
    file = tmp_path / "log.jsonl"
    run("audit", "export", "--output", str(file))
    assert len(file.read_text().splitlines()) == len(rows) + 1
    nowhere = run("audit", "export", "--output", str(tmp_path / "no" / "x"), fails=True)
    assert "cannot be written" in nowhere.stderr


def test_the_audit_log_is_filtered(run: Run) -> None:
    run("agent", "add", "ann@example.com")
    run("token", "revoke", said=run("token", "issue", "--email", "ann@example.com").stdout)
    log = listed(run, "audit", "--object", "ann@example.com")
    assert [entry["action"] for entry in log] == ["tokenRevoked", "tokenIssued", "agentCreated"]
    (only,) = listed(run, "audit", "--action", "siteCreated", "--author", "command")
    assert only["what"] == "Added the site Site 1"
    assert listed(run, "audit", "--since", "2999-01-01") == []
    assert listed(run, "audit", "--until", "2000-01-01") == []
    result = CliRunner().invoke(main, ("audit", "--site", "1", "verify"))
    assert result.exit_code == 2
    assert "after verify" in result.stderr


def test_keys_secrets_and_tokens_are_replaced(run: Run) -> None:
    run("agent", "add", "ann@example.com")
    first = json.loads(run("api-key", "add", "ann@example.com", "--name", "CRM", "--json").stdout)
    second = json.loads(run("api-key", "rotate", first["id"], "--overlap", "1h", "--json").stdout)
    assert first["key"] != second["key"]
    old, new = listed(run, "api-key", "list")
    assert (old["id"], new["id"]) == (first["id"], second["id"])
    assert old["ends"]
    assert not new["ends"]
    client = json.loads(run("client", "add", "Reports", "--grant", "password", "--json").stdout)
    rotated = run("client", "rotate-secret", client["client_id"], "--overlap", "0", "--json")
    assert json.loads(rotated.stdout)["client_secret"] != client["client_secret"]
    token = run("token", "issue", "--email", "ann@example.com").stdout
    assert run("token", "rotate", said=token).stdout.startswith("vv_")
    log = listed(run, "audit", "--limit", "3", "--object", "e")
    assert log[0]["action"] == "tokenRotated"


def test_upload_keys_are_in_the_audit_log(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    assert CliRunner().invoke(main, ("init", *data)).exit_code == 0
    for site in ("1", "7"):  # another archive's site is in no log
        for command in ("add", "delete"):
            done = CliRunner().invoke(
                main, ("archive", "upload-key", command, "CRM", "--site", site, *data)
            )
            assert done.exit_code == 0
    key = ("archive", "upload-key", "add", "CRM", *data)
    first = CliRunner().invoke(main, key).stdout
    rotated = ("archive", "upload-key", "rotate", "CRM", "--overlap", "1h", *data)
    second = json.loads(CliRunner().invoke(main, (*rotated, "--json")).stdout)["key"]
    assert second != first.strip()
    old, new = json.loads(
        CliRunner().invoke(main, ("archive", "upload-key", "list", "--json", *data)).stdout
    )
    assert old["ends"]
    assert not new["ends"]
    unknown = CliRunner().invoke(
        main, ("archive", "upload-key", "rotate", "X", "--overlap", "0", *data)
    )
    own = (tmp_path / "archive.key").read_text()
    done = CliRunner().invoke(main, ("archive", "upload-key", "rotate-own", *data))
    assert "The new key is in" in done.stdout
    assert (tmp_path / "archive.key").read_text() not in {own, done.stdout}
    assert "every" in CliRunner().invoke(main, ("archive", "upload-key", "list", *data)).stdout
    assert "has no upload key named X" in unknown.stderr
    listing = CliRunner().invoke(main, ("audit", "--object", "upload key", "--json", *data))
    log = json.loads(listing.stdout)
    assert [entry["action"] for entry in log] == [
        *("uploadKeyRotated", "uploadKeyRotated", "uploadKeyCreated"),
        *("uploadKeyDeleted", "uploadKeyCreated"),
    ]


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the group and all commands in it; `main` imports those in it when they are named."""
    context = click.Context(group)
    found = [path]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command, name
        inner = (*path, name)
        found += commands(command, inner) if isinstance(command, click.Group) else [inner]
    return found


def test_help_answers() -> None:
    every = commands(main)
    assert ("recordings", "list") in every
    for command in every:
        result = CliRunner().invoke(main, [*command, "--help"])
        assert result.exit_code == 0, command
        assert "Usage:" in result.output, command


def test_documents_name_only_commands_that_exist() -> None:
    every = commands(main)
    known = {" ".join(command) for command in every}
    first_words = {command[0] for command in every if command}
    groups = {command[0] for command in every if len(command) > 1}
    root = Path(__file__).parents[2]
    found = 0
    named = re.compile(r"visavis ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
    for document in (root / "README.md", *(root / "docs").glob("*.md")):
        for first, second in named.findall(document.read_text()):
            if first in first_words:
                found += 1
                command = f"{first} {second}" if first in groups and second else first
                assert command in known, f"{document.name}: visavis {command}"
    assert found > 20


def test_every_permission_can_be_named(run: Run) -> None:
    names = [permission.value.upper() for permission in Permission]
    run("agent", "add", "ann@example.com")
    said = run("agent", "grant", "ann@example.com", *names).stdout
    assert all(permission.value in said for permission in Permission)


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    away = f"postgresql://chat:s3cret@/x?host={tmp_path}"
    result = CliRunner().invoke(main, ["agent", "list", "--database", away])
    assert result.exit_code == 1
    assert f"The database postgresql://chat:***@/x?host={tmp_path} cannot be" in result.stderr
    assert "s3cret" not in result.stderr
    missing = CliRunner().invoke(main, ["agent", "list", "--data", str(tmp_path / "x")])
    assert "visavis init" in missing.stderr
