"""The REST clients run against a served product."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests import http_clients
from tests.examples.conftest import EXAMPLES
from tests.npm import ENVIRONMENT, NODE, installed
from tests.web.conftest import PATH, Served

PEERS: Final = EXAMPLES.parent / "tests/interop/api"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)


def config(served: Served) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {served.token}"}
    return dict(http_clients.get(served.url + PATH, headers=headers).json())


def set_server_url(served: Served, url: str) -> None:
    headers = {"Authorization": f"Bearer {served.token}"}
    body = {"recordingServerUrl": url}
    http_clients.put(served.url + PATH, headers=headers, json=body).raise_for_status()


def test_the_python_client(served: Served) -> None:
    set_server_url(served, "https://recordings.example.com/")
    result = run(sys.executable, EXAMPLES / "rest_client.py", served.url, served.token)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == "enabled: True"
    assert lines[1].startswith(f"send the visitor to {served.url}/join/")
    assert lines[2].startswith(f"open as the agent: {served.url}/join/")
    assert [line.split()[1:] for line in lines[3:]] == [["requested", "Ann"]]
    assert config(served) == {
        "isEnabled": True,
        "isAutomaticallyRecordingAudioVideoChatsEnabled": False,
        "recordingServerUrl": "https://recordings.example.com/",
    }


def test_the_python_client_prints_a_refusal(served: Served) -> None:
    result = run(sys.executable, EXAMPLES / "rest_client.py", served.url, "wrong")
    assert result.returncode == 1
    assert result.stderr.startswith("Unauthorized: ")


@pytest.mark.interop
def test_the_typescript_client(served: Served, tmp_path: Path) -> None:
    tools = installed(PEERS) / "node_modules"
    project = tmp_path / "project"
    project.mkdir()
    (project / "node_modules").symlink_to(tools)
    (project / "package.json").write_text('{"type": "module"}')
    source = project / "rest_client.ts"
    source.write_bytes((EXAMPLES / "rest_client.ts").read_bytes())
    document = project / "openapi.json"
    document.write_bytes(http_clients.get(f"{served.url}/v4/openapi.json").content)
    set_server_url(served, "https://recordings.example.com/")
    commands = (
        (tools / ".bin/openapi-typescript", document, "--output", project / "api.d.ts"),
        (tools / ".bin/tsc", "--strict", "--target", "es2022", "--module", "nodenext", source),
        (NODE, project / "rest_client.js", served.url, served.token),
    )
    for command in commands:
        result = run(*command)
        assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout == "enabled: true\nended calls: 0\n"
    assert config(served)["isEnabled"] is True
