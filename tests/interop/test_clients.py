"""Clients that are not ours, on a served product: generated ones, OAuth libraries, events, tus."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import queue
import re
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.requests_client import OAuth2Session

from tests import http_clients
from tests.interop.test_tus import PEERS as TUS_PEERS
from tests.interop.test_tus import upload
from tests.npm import BIN, ENVIRONMENT, NODE, installed
from tests.running import PATIENCE, System, administer

pytestmark = pytest.mark.interop

API: Final = Path(__file__).parent / "api"
CHECKED: Final = API.parents[2] / ".mypy_cache" / "generated"
"""For mypy's knowledge of the libraries, the same each time; `mypy` itself has others beside it."""

CONFIG: Final = "/v4/livechat/audioVideoChatConfig"
EMAIL: Final = "admin@localhost"
REDIRECT: Final = "http://127.0.0.1:49152/callback"


@pytest.fixture(scope="module")
def peers() -> Path:
    return installed(API)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    running = System(tmp_path_factory.mktemp("product") / "data").start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def document(product: System, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("description") / "openapi.json"
    path.write_text(json.dumps(product.ask("/v4/openapi.json")))
    return path


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a program; its output if it succeeds, else a failure with all that it said."""
    result = subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, check=False, cwd=cwd
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


# The description


def test_linters_find_nothing_in_the_description(peers: Path, document: Path) -> None:
    # here, since its import takes two seconds of each process that collects the tests
    from openapi_spec_validator import validate

    validate(json.loads(document.read_text()))
    spectral = peers / "node_modules/.bin/spectral"
    run(spectral, "lint", "--ruleset", peers / "spectral.yaml", "--fail-severity", "hint", document)


# Generated clients


@pytest.fixture
def calls(product: System) -> Iterator[list[str]]:
    """Two calls, the first of them ended; calls that they leave behind are ended, too."""
    product.configure(on=True)
    headers = {"Authorization": f"Bearer {product.token()}"}
    with http_clients.Client(base_url=product.url, headers=headers) as client:
        ids = []
        for _ in range(2):
            made = client.post("/v4/livechat/audioVideoChats", json={"media": "audio"})
            ids.append(made.raise_for_status().json()["id"])
        client.post(f"/v4/livechat/audioVideoChats/{ids[0]}:end").raise_for_status()
        yield ids
        client.post(f"/v4/livechat/audioVideoChats/{ids[1]}:end").raise_for_status()


def test_openapi_typescript_and_openapi_fetch(
    peers: Path, product: System, document: Path, calls: list[str], tmp_path: Path
) -> None:
    for name in ("client.ts", "tsconfig.json", "package.json"):
        (tmp_path / name).write_bytes((peers / name).read_bytes())
    (tmp_path / "node_modules").symlink_to(peers / "node_modules")
    tools = peers / "node_modules/.bin"
    run(tools / "openapi-typescript", document, "--output", tmp_path / "api.d.ts")
    run(tools / "tsc", "--project", tmp_path, cwd=tmp_path)
    said = run(NODE, tmp_path / "client.js", product.url, product.token(), calls[0])
    assert said == "done\n"


@pytest.fixture(scope="module")
def generated(
    document: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, ModuleType]]:
    """The modules that `openapi-python-client` generates from the description, by name."""
    directory = tmp_path_factory.mktemp("generated")
    package = directory / "visavis_client"
    run(
        *(BIN / "openapi-python-client", "generate", "--meta", "none", "--fail-on-warning"),
        *("--path", document, "--output-path", package),
        *("--config", API / "openapi-python-client.yaml"),
        cwd=directory,
    )
    # its client.py has errors of types whatever the description is
    checked = (package / "api", package / "models")
    options = ("--config-file=", "--follow-imports=silent", f"--cache-dir={CHECKED}")
    run(BIN / "mypy", *options, *checked, cwd=directory)
    sys.path.insert(0, str(directory))
    try:
        names = [
            ".".join(path.relative_to(directory).with_suffix("").parts)
            for path in package.rglob("*.py")
            if path.name != "__init__.py"
        ]
        yield {
            name.removeprefix("visavis_client."): importlib.import_module(name) for name in names
        }
    finally:
        sys.path.remove(str(directory))


def test_openapi_python_client(
    product: System, generated: dict[str, Any], calls: list[str]
) -> None:
    options = {"base_url": product.url, "raise_on_unexpected_status": True, "timeout": None}
    with generated["client"].AuthenticatedClient(**options, token=product.token()) as client:
        changes_the_configuration(generated, client)
        looks_calls_up(generated, client, calls[0])
    with generated["client"].Client(**options) as stranger:
        token = generated["api.o_auth.issue_token"]
        grants = generated["models.token_request_grant_type"].TokenRequestGrantType
        asked = generated["models.token_request"].TokenRequest(
            grant_type=grants.PASSWORD, username=EMAIL, password=product.password
        )
        assert token.sync(client=stranger, body=asked).token_type == "bearer"
        asked.password = "wrong"
        assert token.sync(client=stranger, body=asked).error == "invalid_grant"


def changes_the_configuration(generated: dict[str, Any], client: Any) -> None:
    """With If-Match: the second change comes too late."""
    api = "api.audio_video_chat"
    before = generated[f"{api}.get_audio_video_chat_config"].sync_detailed(client=client)
    change = generated[f"{api}.update_audio_video_chat_config"]
    body = generated["models.config_change"].ConfigChange("http://google.com", is_enabled=True)
    tag = before.headers["etag"]
    assert change.sync(client=client, body=body, if_match=tag).is_enabled
    late = change.sync(client=client, body=body, if_match='"late"')
    assert late.error == "PreconditionFailed"


def looks_calls_up(generated: dict[str, Any], client: Any, ended_id: str) -> None:
    """The filter is the union of its values."""
    states = generated["models.call_state"].CallState
    items = generated["models.get_audio_video_chats_state_item"].GetAudioVideoChatsStateItem
    listing = generated["api.calls.get_audio_video_chats"]
    both = [items.REQUESTED, items.ENDED]
    found = listing.sync(client=client, state=both, page_size=1)
    assert found.total == listing.sync(client=client).total > 1
    assert listing.sync(client=client, state=both[:1]).total == 1
    call = generated["api.calls.get_audio_video_chat"].sync(ended_id, client=client)
    assert call.state == states.ENDED
    assert call.events[-1].name == "ended"
    assert isinstance(call.events[-1].data.to_dict(), dict)


def test_openapi_python_client_uploads(product: System, generated: dict[str, Any]) -> None:
    key = (product.data / "archive.key").read_text().strip()
    content = os.urandom(100_000)
    uploads, types = "api.uploads", generated["types"]
    version = {"tus_resumable": "1.0.0"}
    options = {"base_url": product.url, "timeout": None}
    with generated["client"].AuthenticatedClient(**options, token=key) as client:
        created = generated[f"{uploads}.create_upload"].sync_detailed(
            client=client,
            **version,
            upload_length=len(content),
            upload_metadata=f"recording {b64encode(b'generated').decode()}",
            body=types.UNSET,
        )
        assert created.status_code == 201
        upload_id = created.headers["location"].rpartition("/")[2]
        for part in (content[:60_000], content[60_000:]):
            head = generated[f"{uploads}.get_upload_offset"].sync_detailed(
                upload_id, client=client, **version
            )
            appended = generated[f"{uploads}.append_to_upload"].sync_detailed(
                upload_id,
                client=client,
                **version,
                upload_offset=int(head.headers["upload-offset"]),
                body=types.File(payload=part),
            )
            assert appended.status_code == 204
    assert appended.headers["visavis-sha256"] == hashlib.sha256(content).hexdigest()


# OAuth libraries


@pytest.fixture(scope="module")
def public_client(product: System) -> str:
    listed = administer("client", "list", "--json", "--data", product.data)
    return str(json.loads(listed)[0]["client_id"])


@pytest.fixture(scope="module")
def confidential_client(product: System) -> tuple[str, str]:
    added = administer(
        *("client", "add", "Service", "--grant", "client_credentials", "--acts-as", EMAIL),
        *("--json", "--data", product.data),
    )
    client = json.loads(added)
    return client["client_id"], client["client_secret"]


def test_oauth4webapi(
    peers: Path, product: System, public_client: str, confidential_client: tuple[str, str]
) -> None:
    product.configure(on=False)
    said = run(
        *(NODE, peers / "oauth.js", product.url, EMAIL, product.password),
        *(public_client, *confidential_client),
    )
    assert said == "done\n"


def allow(url: str, email: str, password: str) -> str:
    """A browser whose agent signs in and allows what the client asks for; the redirect's URL."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    with http_clients.Client(base_url=origin) as browser:
        form = {"email": email, "password": password}
        browser.post("/session", json=form).raise_for_status()
        proof = re.search(r'name="proof" value="(\w+)"', browser.get(url).text)
        assert proof
        answer = browser.post(url, data={"proof": proof[1], "decision": "allow"})
        assert answer.status_code == 302
        return answer.headers["location"]


def test_authlib(product: System, public_client: str, confidential_client: tuple[str, str]) -> None:
    product.configure(on=False)
    issuer = product.ask("/.well-known/oauth-authorization-server")
    endpoint = issuer["token_endpoint"]
    verifier = "v" * 64
    with OAuth2Session(
        public_client,
        token_endpoint_auth_method="none",
        scope="manage_settings",
        redirect_uri=REDIRECT,
        code_challenge_method="S256",
        token_endpoint=endpoint,
    ) as app:
        url, state = app.create_authorization_url(
            issuer["authorization_endpoint"], code_verifier=verifier
        )
        redirect = allow(url, EMAIL, product.password)
        assert parse_qs(urlsplit(redirect).query)["state"] == [state]
        token = app.fetch_token(
            endpoint, authorization_response=redirect, code_verifier=verifier, state=state
        )
        assert token["scope"] == "manage_settings"
        assert app.get(product.url + CONFIG).json()["isEnabled"] is False
        refreshed = app.refresh_token(endpoint, refresh_token=token["refresh_token"])
        assert refreshed["refresh_token"] != token["refresh_token"]
        by_password = app.fetch_token(endpoint, username=EMAIL, password=product.password)
        assert by_password["access_token"] != token["access_token"]

    with OAuth2Session(*confidential_client, token_endpoint=endpoint) as service:
        service.fetch_token(endpoint, grant_type="client_credentials")
        assert service.get(f"{product.url}/v4/global/auditLogs").status_code == 200
        about = service.introspect_token(
            issuer["introspection_endpoint"], token=refreshed["access_token"]
        ).json()
        assert about["active"] is True
        mine = service.token["access_token"]
        assert service.revoke_token(issuer["revocation_endpoint"], token=mine).status_code == 200
        about = service.introspect_token(issuer["introspection_endpoint"], token=mine).json()
        assert about == {"active": False}


# Events


class Events:
    """The events that npm `eventsource` prints, in order."""

    def __init__(self, peers: Path, product: System) -> None:
        self._process = subprocess.Popen(
            [NODE, peers / "events.js", f"{product.url}{CONFIG}/events", product.token()],
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def next(self, name: str) -> dict[str, Any]:
        """The next event of that name; others before it are let pass."""
        while (event := self._lines.get(timeout=PATIENCE))["name"] != name:
            pass
        return event

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(json.loads(line))


def test_eventsource_follows_through_a_restart_of_the_server(peers: Path, tmp_path: Path) -> None:
    product = System(tmp_path / "data").start()
    events = Events(peers, product)
    try:
        assert events.next("config")["config"]["isEnabled"] is False
        product.configure(on=True)
        assert events.next("config")["config"]["isEnabled"] is True
        product.stop()
        assert events.next("error")["state"] == 0  # CONNECTING: it tries again
        product.start()
        events.next("open")
        again = events.next("config")
        assert again["config"]["isEnabled"] is True
        product.configure(on=False)
        changed = events.next("config")
        assert changed["config"]["isEnabled"] is False
        assert changed["etag"] != again["etag"]
    finally:
        events.close()
        product.stop()


# Uploads


def test_tus_js_client_resumes_on_the_product(product: System, tmp_path: Path) -> None:
    content = os.urandom(1_234_567)
    (tmp_path / "file").write_bytes(content)
    key = (product.data / "archive.key").read_text().strip()
    sha256 = hashlib.sha256(content).hexdigest()
    result = upload(
        installed(TUS_PEERS), f"{product.url}/recordings/", tmp_path / "file", sha256, key
    )
    assert result.returncode == 0, result.stderr
    assert product.archived("rec").read_bytes() == content
