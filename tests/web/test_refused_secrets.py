"""Wrong secrets of programs are in the audit log, and replaced ones are good for a while."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from starlette.types import Scope

from tests import http_clients
from tests.web.conftest import Api, Served
from visavis.domain.audit import ActionType, AuditEntry, AuditSearch
from visavis.domain.oauth import CredentialKind, Grant
from visavis.lifecycle import Secrets
from visavis.web.request import index_headers

CONFIG = "/v4/livechat/audioVideoChatConfig"


async def refused(api: Api) -> list[AuditEntry]:
    """The entries of what was refused, oldest first."""
    kinds = (ActionType.CLIENT_REFUSED, ActionType.TOKEN_REFUSED)
    search = AuditSearch(actions=kinds)
    found = await api.app.store.read(lambda rows: rows.audit.list_page(1, 50, search=search))
    return list(reversed(found))


@pytest.mark.anyio
async def test_a_wrong_or_revoked_token_is_in_the_audit_log(api: Api) -> None:
    revoked = await api.app.tokens.issue(
        api.administrator, CredentialKind.BEARER, timedelta(hours=1)
    )
    await api.app.tokens.revoke(revoked)
    for _ in range(50):
        assert (await api.call("GET", token="vv_wrong")).status_code == 401
    assert (await api.call("GET", token=revoked)).status_code == 401
    assert (await api.call("GET", "/oauth/userinfo", token="vv_wrong")).status_code == 401
    (entry,) = await refused(api)
    assert entry.summary == "Failed attempt to use an unknown or revoked token"
    await api.app.write_failed_sign_ins()
    (_, further) = await refused(api)
    assert [change.new_value for change in further.changes] == ["this machine", "51"]
    assert "vv_" not in repr(await refused(api))


@pytest.mark.anyio
async def test_the_cookie_of_an_ended_session_is_not(api: Api) -> None:
    answer = await api.client.get(CONFIG, headers={"Cookie": "visavis_session=vv_ended"})
    assert answer.status_code == 401
    assert await refused(api) == []


@pytest.mark.anyio
async def test_a_wrong_client_secret_is_in_the_audit_log(api: Api) -> None:
    client, secret = await api.app.clients.add(
        1, "Reports", grants=Grant, redirect_uris=["https://x.example"], acts_as=api.administrator
    )
    assert secret
    form = {"grant_type": "client_credentials"}
    paths = ("/oauth/token", "/oauth/revoke", "/oauth/introspect")
    for path in paths:
        answer = await api.client.post(path, data={**form, "token": "x"}, auth=(client.id, "vvs_x"))
        assert answer.json()["error"] == "invalid_client"
    body = {**form, "client_id": client.id, "client_secret": "vvs_x"}
    assert (await api.client.post("/oauth/token", data=body)).json()["error"] == "invalid_client"
    unknown = {**form, "client_id": "vvs_typed", "client_secret": "vvs_x"}
    answer = await api.client.post("/oauth/token", data=unknown)
    assert answer.json()["error"] == "invalid_client"
    refresh = {"grant_type": "refresh_token", "refresh_token": "vvr_wrong"}
    answer = await api.client.post("/oauth/token", data=refresh, auth=(client.id, secret))
    assert answer.json()["error"] == "invalid_grant"
    await api.app.write_failed_sign_ins()
    assert [(entry.action_type, entry.object_name) for entry in await refused(api)] == [
        ("clientRefused", "OAuth client Reports"),
        ("clientRefused", "an unknown OAuth client"),
        ("tokenRefused", "OAuth client Reports"),
        ("clientRefused", "OAuth client Reports"),
    ]
    assert "vv" not in repr(await refused(api))
    answer = await api.client.post("/oauth/token", data=form, auth=(client.id, secret))
    assert answer.status_code == 200
    new = await api.app.clients.rotate_secret(1, client.id, timedelta(hours=1))
    for each in (secret, new):
        answer = await api.client.post("/oauth/token", data=form, auth=(client.id, each))
        assert answer.status_code == 200


@pytest.mark.anyio
async def test_secrets_of_the_settings_are_replaced(api: Api) -> None:
    api.app.use_secrets(Secrets(turn_secret="south", metrics_token="one, two"))
    assert api.app.ice.turn_secret == "south"
    headers = [(b"authorization", b"Bearer two")]
    scope: Scope = {"type": "http", "client": ("203.0.113.9", 1), "headers": headers}
    index_headers(scope)
    assert api.app.metrics_access.is_allowed(scope)
    api.app.use_secrets(Secrets(metrics_token="one"))
    assert not api.app.metrics_access.is_allowed(scope)


def test_a_wrong_upload_key_is_in_the_audit_log(served_with_archive: Served) -> None:
    app = served_with_archive.app
    url, headers = f"{served_with_archive.url}/recordings/", {"Tus-Resumable": "1.0.0"}
    assert http_clients.post(url, headers=headers).status_code == 401  # no key: nothing was guessed
    for number in range(3):
        headers["Authorization"] = f"Bearer guess-{number}"
        answer = http_clients.post(url, headers={**headers, "Upload-Length": "5"})
        assert answer.status_code == 401
    assert http_clients.head(f"{url}some", headers=headers).status_code == 401
    asyncio.run(app.write_failed_sign_ins())

    search = AuditSearch(actions=(ActionType.UPLOAD_KEY_REFUSED,))
    further, first = asyncio.run(
        app.store.read(lambda rows: rows.audit.list_page(1, 50, search=search))
    )
    assert first.summary == "Failed attempt to upload with an unknown upload key"
    assert [change.new_value for change in first.changes] == ["this machine", "1"]
    assert [change.new_value for change in further.changes] == ["this machine", "3"]
    assert "guess" not in repr([first, further])
