"""OAuth 2 over a real store: every grant, and those who try without one."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import httpx2
import pytest

from tests.web.conftest import PATH, Api
from visavis.clock_and_ids import now
from visavis.domain.oauth import Client, Grant
from visavis.domain.people import Permission
from visavis.services.clients import LOOPBACK as LOOPBACK_REDIRECTS

REDIRECT = "https://app.example.com/back"
LOOPBACK = "http://127.0.0.1/back"
PASSWORD = {"email": "admin@example.com", "password": "secret"}
INVALID = "The program sent a request that is not valid. Tell its author:"
VERIFIER = secrets.token_urlsafe(48)
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
EVERYTHING = frozenset(Grant) - {Grant.CLIENT_CREDENTIALS}


async def public_client(
    api: Api, grants: frozenset[Grant] = EVERYTHING, site_id: int = 1, uris: tuple[str, ...] = ()
) -> Client:
    redirects = uris or (REDIRECT, LOOPBACK)
    client, secret = await api.app.clients.add(
        site_id, "Desk <app>", grants=grants, redirect_uris=redirects, is_public=True
    )
    assert secret is None
    return client


async def secret_client(api: Api, site_id: int = 1) -> tuple[str, str]:
    client, secret = await api.app.clients.add(
        site_id,
        "Server",
        grants=Grant,
        redirect_uris=[REDIRECT],
        acts_as=api.administrator,
    )
    assert secret
    return client.id, secret


async def ask_token(api: Api, **form: Any) -> httpx2.Response:
    auth = form.pop("auth", None)
    return await api.client.post("/oauth/token", data=form, auth=auth)


async def by_password(api: Api, client: Client, **more: str) -> dict[str, Any]:
    answer = await ask_token(api, grant_type="password", client_id=client.id, **PASSWORD, **more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def basic(credentials: str, scheme: str = "Basic") -> str:
    return f"{scheme} {base64.b64encode(credentials.encode()).decode()}"


def all_encoded(text: str) -> str:
    return "".join(f"%{ord(letter):02X}" for letter in text)


async def token_by_header(api: Api, authorization: str) -> httpx2.Response:
    form, headers = {"grant_type": "client_credentials"}, {"Authorization": authorization}
    return await api.client.post("/oauth/token", data=form, headers=headers)


def assert_error(answer: httpx2.Response, status: int, error: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"


async def is_valid(api: Api, token: str) -> bool:
    return (await api.call("GET", token=token)).status_code == 200


class TestPassword:
    async def test_the_answer_has_what_clients_expect(self, api: Api) -> None:
        client = await public_client(api)
        answer = await ask_token(api, grant_type="password", client_id=client.id, **PASSWORD)
        token = answer.json()
        assert token["token_type"] == "bearer"
        assert token["expires_in"] == 43_199
        assert set(token["scope"].split()) == {p.scope for p in Permission}
        assert await is_valid(api, token["access_token"])
        assert not await is_valid(api, token["refresh_token"])
        assert answer.headers["cache-control"] == "no-store"

    async def test_json_and_odd_names_are_understood(self, api: Api) -> None:
        client = await public_client(api)
        body = {"Grant_Type": "password", "client_Id": client.id, **PASSWORD}
        answer = await api.client.post("/oauth/token", json=body)
        assert answer.status_code == 200, answer.text
        odd = {"grant_type": "password", "CLIENT_ID": client.id, "username": "admin@example.com"}
        answer = await api.client.post("/oauth/token", data={**odd, "PassWord": "secret"})
        assert answer.status_code == 200, answer.text

    @pytest.mark.parametrize("path", ["/api/oauth/token", "/OAuth/Token", "/API/OAUTH/TOKEN"])
    async def test_the_path_is_understood_however_it_is_spelled(self, api: Api, path: str) -> None:
        client = await public_client(api)
        guid = str(UUID(client.id)).upper()
        form = {"grant_type": "password", "client_id": guid, **PASSWORD}
        answer = await api.client.post(path, data=form)
        assert answer.status_code == 200, answer.text
        again = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
        assert (await api.client.post(path, data={**again, "client_id": guid})).is_success

    async def test_parameters_that_we_do_not_know_are_ignored(self, api: Api) -> None:
        client = await public_client(api)
        body = {"grant_type": "password", "client_id": client.id, **PASSWORD}
        unknown: dict[str, Any] = {
            "siteid": 1,
            "nonce": None,
            "x": {"y": []},
            "Site": "\0",
            "scope": None,
        }
        answer = await api.client.post("/oauth/token", json={**body, **unknown})
        assert answer.status_code == 200, answer.text
        repeated = urlencode(body) + "&resource=a&resource=b&%22=%00"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await api.client.post("/oauth/token", content=repeated, headers=headers)
        assert answer.status_code == 200, answer.text

    async def test_a_wrong_password_gets_nothing(self, api: Api) -> None:
        client = await public_client(api)
        for wrong in ({"password": "no"}, {"email": "nobody@example.com"}):
            form = {"grant_type": "password", "client_id": client.id, **PASSWORD, **wrong}
            assert_error(await ask_token(api, **form), 400, "invalid_grant")
        missing = await ask_token(api, grant_type="password", client_id=client.id)
        assert_error(missing, 400, "invalid_request")

    async def test_guessing_is_stopped(self, api: Api) -> None:
        client = await public_client(api)
        form = {"grant_type": "password", "client_id": client.id, **PASSWORD, "password": "x"}
        for _ in range(10):
            assert_error(await ask_token(api, **form), 400, "invalid_grant")
        answer = await ask_token(api, **form)
        assert_error(answer, 429, "temporarily_unavailable")
        assert int(answer.headers["retry-after"]) > 0

    async def test_a_client_can_have_it_switched_off(self, api: Api) -> None:
        client = await public_client(api)
        await api.app.clients.set_grants(1, client.id, [Grant.AUTHORIZATION_CODE])
        answer = await ask_token(api, grant_type="password", client_id=client.id, **PASSWORD)
        assert_error(answer, 400, "unauthorized_client")

    async def test_a_client_of_another_site_gets_nothing(self, api: Api) -> None:
        other = await api.other_site()
        client = await public_client(api, site_id=other)
        answer = await ask_token(api, grant_type="password", client_id=client.id, **PASSWORD)
        assert_error(answer, 400, "invalid_grant")

    async def test_a_scope_limits_the_token(self, api: Api) -> None:
        client = await public_client(api)
        token = await by_password(api, client, scope="view_audit_log")
        assert token["scope"] == "view_audit_log"
        refused = await api.call("GET", token=token["access_token"])
        assert refused.status_code == 403
        assert 'error="insufficient_scope"' in refused.headers["www-authenticate"]
        form = {"grant_type": "password", "client_id": client.id, **PASSWORD, "scope": "root"}
        assert_error(await ask_token(api, **form), 400, "invalid_scope")

    async def test_an_unknown_scope_is_left_out_and_the_answer_says_so(self, api: Api) -> None:
        client = await public_client(api)
        token = await by_password(api, client, scope="openid root view_audit_log profile")
        assert token["scope"] == "view_audit_log"

    async def test_the_scopes_of_openid_connect_alone_ask_for_nothing_less(self, api: Api) -> None:
        client = await public_client(api)
        token = await by_password(api, client, scope="openid offline_access")
        assert set(token["scope"].split()) == {p.scope for p in Permission}
        again = await refresh(api, client, token["refresh_token"], scope="openid offline_access")
        assert again.json()["scope"] == token["scope"]

    async def test_an_older_client_without_an_id_uses_the_first_public_one(self, api: Api) -> None:
        form = {"grant_type": "password", **PASSWORD}
        assert_error(await ask_token(api, **form), 401, "invalid_client")
        await secret_client(api)
        await public_client(api, frozenset({Grant.AUTHORIZATION_CODE}))
        client = await public_client(api)
        token = (await ask_token(api, **form)).json()
        assert await is_valid(api, token["access_token"])
        assert_error(await ask_token(api, **{**form, "password": "no"}), 400, "invalid_grant")
        await api.app.clients.disable(1, client.id, is_disabled=True)
        assert_error(await ask_token(api, **form), 401, "invalid_client")


class TestClientAuthentication:
    async def test_basic_and_post(self, api: Api) -> None:
        name, secret = await secret_client(api)
        basic = await ask_token(api, grant_type="client_credentials", auth=(name, secret))
        assert basic.status_code == 200, basic.text
        assert "refresh_token" not in basic.json()
        form = {"client_id": name, "client_secret": secret}
        post = await ask_token(api, grant_type="client_credentials", **form)
        assert await is_valid(api, post.json()["access_token"])

    async def test_what_is_refused(self, api: Api) -> None:
        name, secret = await secret_client(api)
        wrong = await ask_token(api, grant_type="client_credentials", auth=(name, "no"))
        assert_error(wrong, 401, "invalid_client")
        assert wrong.headers["www-authenticate"].startswith("Basic")
        nobody = await ask_token(api, grant_type="client_credentials", auth=("no", secret))
        assert_error(nobody, 401, "invalid_client")
        without = await ask_token(api, grant_type="client_credentials", client_id=name)
        assert_error(without, 401, "invalid_client")
        broken = {"Authorization": "Basic /w=="}
        answer = await api.client.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, headers=broken
        )
        assert_error(answer, 401, "invalid_client")

    async def test_the_header_may_be_percent_encoded_and_in_any_case(self, api: Api) -> None:
        """RFC 6749 §2.3.1 wants every client to encode; some encode nothing, some everything."""
        name, secret = await secret_client(api)
        for encode in (str, all_encoded):
            for scheme in ("Basic", "basic", "BASIC"):
                header = basic(f"{encode(name)}:{encode(secret)}", scheme)
                answer = await token_by_header(api, header)
                assert answer.status_code == 200, answer.text

    @pytest.mark.parametrize(
        "credentials", ["%00:x", "a%00:x", "x:%00", "%ff%fe:x", "%0d%0a:x", ":x", "x", "", ":"]
    )
    async def test_a_header_that_cannot_be_read_is_refused(
        self, api: Api, credentials: str
    ) -> None:
        answer = await token_by_header(api, basic(credentials))
        assert_error(answer, 401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")

    async def test_a_wrong_secret_in_the_header_counts_whatever_the_body_says(
        self, api: Api
    ) -> None:
        (name, secret), public = await secret_client(api), await public_client(api)
        forms = (
            {"grant_type": "password", "client_id": public.id, **PASSWORD},
            {"grant_type": "client_credentials", "client_id": name, "client_secret": secret},
        )
        for form in forms:
            assert_error(await ask_token(api, **form, auth=(name, "no")), 401, "invalid_client")
        both = {"grant_type": "client_credentials", "client_id": name}
        assert (await ask_token(api, **both, auth=(name, secret))).status_code == 200

    async def test_a_public_client_may_name_itself_in_the_header(self, api: Api) -> None:
        await public_client(api, frozenset({Grant.PASSWORD}))  # would stand in for nobody
        client = await public_client(api)
        form = {"grant_type": "password", **PASSWORD}
        token = (await ask_token(api, **form, auth=(client.id, ""))).json()
        form = {"token": token["refresh_token"]}
        answer = await api.client.post("/oauth/revoke", data=form, auth=(client.id, ""))
        assert answer.status_code == 200, answer.text
        assert not await is_valid(api, token["access_token"])
        inspected = await api.client.post("/oauth/introspect", data=form, auth=(client.id, ""))
        assert_error(inspected, 401, "invalid_client")

    async def test_the_query_holds_no_credentials(self, api: Api) -> None:
        """Queries stand in the logs of proxies (RFC 6749 §2.3.1)."""
        name, secret = await secret_client(api)
        query = urlencode({"client_id": name, "client_secret": secret, "token": api.token})
        for path in ("token", "introspect", "revoke"):
            form = {"grant_type": "client_credentials", "token": "vv_unknown"}
            answer = await api.client.post(f"/oauth/{path}?{query}", data=form)
            assert_error(answer, 401, "invalid_client")

    @pytest.mark.parametrize("path", ["token", "introspect", "revoke"])
    async def test_a_bearer_token_does_not_authenticate_a_client(self, api: Api, path: str) -> None:
        form = {"grant_type": "client_credentials", "token": api.token}
        headers = {"Authorization": f"Bearer {api.token}"}
        answer = await api.client.post(f"/oauth/{path}", data=form, headers=headers)
        assert_error(answer, 401, "invalid_client")
        assert answer.headers["www-authenticate"].startswith("Basic")

    async def test_a_client_that_is_unknown_or_disabled(self, api: Api) -> None:
        for path in ("token", "introspect", "revoke"):
            url, form = f"/oauth/{path}", {"grant_type": "password", "token": "x"}
            unknown = {"client_id": "nobody", "client_secret": "x"}
            answer = await api.client.post(url, data={**form, **unknown})
            assert_error(answer, 400, "invalid_client")
            answer = await api.client.post(url, data=form, auth=("nobody", "x"))
            assert_error(answer, 401, "invalid_client")

    async def test_a_public_client_has_no_credentials_of_its_own(self, api: Api) -> None:
        client = await public_client(api)
        answer = await ask_token(api, grant_type="client_credentials", client_id=client.id)
        assert_error(answer, 401, "invalid_client")

    async def test_a_disabled_client_and_its_tokens_are_dead_at_once(self, api: Api) -> None:
        name, secret = await secret_client(api)
        answer = await ask_token(api, grant_type="client_credentials", auth=(name, secret))
        token = answer.json()["access_token"]
        assert await is_valid(api, token)
        await api.app.clients.disable(1, name, is_disabled=True)
        assert not await is_valid(api, token)
        again = await ask_token(api, grant_type="client_credentials", auth=(name, secret))
        assert_error(again, 401, "invalid_client")

    async def test_so_are_those_of_a_disabled_agent_or_site(self, api: Api) -> None:
        name, secret = await secret_client(api)
        agent = api.administrator.id
        await api.app.store.write(lambda rows: rows.agents.disable(1, agent, is_disabled=True))
        answer = await ask_token(api, grant_type="client_credentials", auth=(name, secret))
        assert_error(answer, 400, "invalid_grant")
        await api.app.store.write(lambda rows: rows.agents.disable(1, agent, is_disabled=False))
        await api.app.store.write(lambda rows: rows.sites.disable(1, is_disabled=True))
        answer = await ask_token(api, grant_type="client_credentials", auth=(name, secret))
        assert_error(answer, 401, "invalid_client")


class TestRefresh:
    async def test_a_token_is_exchanged_for_the_next(self, api: Api) -> None:
        client = await public_client(api)
        first = await by_password(api, client)
        answer = await refresh(api, client, first["refresh_token"])
        second = answer.json()
        assert await is_valid(api, second["access_token"])
        assert second["refresh_token"] != first["refresh_token"]
        assert second["scope"] == first["scope"]

    async def test_the_scope_can_be_narrowed_and_never_widened(self, api: Api) -> None:
        client = await public_client(api)
        first = await by_password(api, client, scope="view_audit_log manage_settings")
        wider = await refresh(api, client, first["refresh_token"], scope="accept_calls")
        assert_error(wider, 400, "invalid_scope")
        narrow = await refresh(api, client, first["refresh_token"], scope="manage_settings")
        assert narrow.json()["scope"] == "manage_settings"

    async def test_a_narrower_scope_is_the_access_token_s_alone(self, api: Api) -> None:
        client = await public_client(api)
        first = await by_password(api, client, scope="view_audit_log manage_settings")
        token = first["refresh_token"]
        narrow = (await refresh(api, client, token, scope="manage_settings")).json()
        wide = (await refresh(api, client, narrow["refresh_token"])).json()
        assert set(wide["scope"].split()) == {"view_audit_log", "manage_settings"}

    async def test_a_lost_answer_can_be_asked_for_again(self, api: Api) -> None:
        client = await public_client(api)
        first = await by_password(api, client)
        lost = (await refresh(api, client, first["refresh_token"])).json()
        second = (await refresh(api, client, first["refresh_token"])).json()
        for token in (first, lost, second):
            assert await is_valid(api, token["access_token"])
        assert (await refresh(api, client, second["refresh_token"])).status_code == 200

    async def test_using_it_again_later_kills_the_family(self, api: Api) -> None:
        client = await public_client(api)
        first = await by_password(api, client)
        second = (await refresh(api, client, first["refresh_token"])).json()
        assert await is_valid(api, second["access_token"])
        api.app.oauth._grants._clock = lambda: now() + timedelta(seconds=30)
        assert_error(await refresh(api, client, first["refresh_token"]), 400, "invalid_grant")
        assert not await is_valid(api, first["access_token"])
        assert not await is_valid(api, second["access_token"])
        assert_error(await refresh(api, client, second["refresh_token"]), 400, "invalid_grant")

    async def test_two_tabs_at_once_both_go_on(self, api: Api) -> None:
        client = await public_client(api)
        first = await by_password(api, client)
        both = [refresh(api, client, first["refresh_token"]) for _ in range(2)]
        for answer in await asyncio.gather(*both):
            assert await is_valid(api, answer.json()["access_token"])
        await api.client.post(
            "/oauth/revoke", data={"client_id": client.id, "token": first["refresh_token"]}
        )
        assert_error(await refresh(api, client, first["refresh_token"]), 400, "invalid_grant")

    async def test_another_client_cannot_use_it_nor_kill_it(self, api: Api) -> None:
        client, thief = await public_client(api), await public_client(api)
        first = await by_password(api, client)
        assert_error(await refresh(api, thief, first["refresh_token"]), 400, "invalid_grant")
        assert (await refresh(api, client, first["refresh_token"])).status_code == 200

    async def test_a_refused_one_leaves_the_tokens_of_others_in_memory(self, api: Api) -> None:
        """Or strangers could have every token read again."""
        client = await public_client(api)
        first = await by_password(api, client)
        await refresh(api, client, first["refresh_token"])
        other = await api.agent_token()
        for token in (first["access_token"], other):
            await api.app.tokens.authenticate(token)
        assert_error(await refresh(api, client, "wrong"), 400, "invalid_grant")
        assert api.app.tokens.is_remembered(first["access_token"])
        api.app.oauth._grants._clock = lambda: now() + timedelta(seconds=30)
        assert_error(await refresh(api, client, first["refresh_token"]), 400, "invalid_grant")
        assert not api.app.tokens.is_remembered(first["access_token"])
        assert api.app.tokens.is_remembered(other)

    async def test_what_is_no_refresh_token(self, api: Api) -> None:
        client = await public_client(api)
        first = await by_password(api, client)
        for wrong in ("vvr_forged", first["access_token"], api.token):
            assert_error(await refresh(api, client, wrong), 400, "invalid_grant")
        missing = await ask_token(api, grant_type="refresh_token", client_id=client.id)
        assert_error(missing, 400, "invalid_request")

    async def test_a_disabled_agent_gets_no_more(self, api: Api) -> None:
        client = await public_client(api)
        first = await by_password(api, client)
        agent = api.administrator.id
        await api.app.store.write(lambda rows: rows.agents.disable(1, agent, is_disabled=True))
        assert_error(await refresh(api, client, first["refresh_token"]), 400, "invalid_grant")

    async def test_without_the_grant_there_is_no_refresh_token(self, api: Api) -> None:
        client = await public_client(api, frozenset({Grant.PASSWORD}))
        assert "refresh_token" not in await by_password(api, client)


async def refresh(api: Api, client: Client, token: str, **more: str) -> httpx2.Response:
    form = {"grant_type": "refresh_token", "client_id": client.id, "refresh_token": token, **more}
    return await ask_token(api, **form)


def asking(client_id: str, **more: str | None) -> dict[str, str]:
    asked: dict[str, str | None] = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": REDIRECT,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "state": "xyz",
        **more,
    }
    return {name: value for name, value in asked.items() if value is not None}


def sentences(answer: httpx2.Response) -> list[str]:
    """Return the errors that the page shows: it has the sentences of all of them."""
    return re.findall(r'role="alert" ?>([^<]+)<', answer.text)


async def sign_in(api: Api) -> None:
    assert (await api.client.post("/session", json=PASSWORD)).status_code == 200


async def decide(
    api: Api, asked: Mapping[str, str], decision: str = "allow", **form: str
) -> httpx2.Response:
    url = f"/oauth/authorize?{urlencode(asked)}"
    page = await api.client.get(url)
    assert page.status_code == 200, page.text
    match = re.search(r'name="proof" value="(\w+)"', page.text)
    assert match
    body = {"proof": match[1], "decision": decision, **form}
    return await api.client.post(url, data=body)


def brought(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(REDIRECT)
    return {k: v[0] for k, v in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def exchange(
    api: Api, client: Client, code: str | None, **more: str | None
) -> httpx2.Response:
    form: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "client_id": client.id,
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        **more,
    }
    return await ask_token(api, **{k: v for k, v in form.items() if v is not None})


class TestCode:
    async def test_the_whole_way(self, api: Api) -> None:
        client = await public_client(api)
        asked = asking(client.id, scope="manage_settings")
        away = await api.client.get(f"/oauth/authorize?{urlencode(asked)}")
        assert away.status_code == 302
        assert away.headers["location"].startswith("/signin?next=%2Foauth%2Fauthorize%3F")
        await sign_in(api)
        page = await api.client.get(f"/oauth/authorize?{urlencode(asked)}")
        assert "<strong>Desk &lt;app&gt;</strong> wants to act for you, " in page.text
        assert "You will then be sent to <strong>app.example.com</strong>." in page.text
        assert "$" not in page.text
        assert "Manage Settings" in page.text
        assert "View Audit Log" not in page.text
        assert "https://app.example.com" in page.headers["content-security-policy"]
        result = brought(await decide(api, asked))
        assert result["state"] == "xyz"
        assert result["iss"] == api.app.settings.base_url
        token = (await exchange(api, client, result["code"])).json()
        assert await is_valid(api, token["access_token"])
        assert token["scope"] == "manage_settings"
        api.client.cookies.clear()

    async def test_refusing_tells_the_client(self, api: Api) -> None:
        client = await public_client(api)
        await sign_in(api)
        result = brought(await decide(api, asking(client.id), "refuse"))
        assert result["error"] == "access_denied"
        assert result["state"] == "xyz"
        assert result["iss"]

    async def test_a_code_used_twice_takes_its_tokens_with_it(self, api: Api) -> None:
        client = await public_client(api)
        await sign_in(api)
        code = brought(await decide(api, asking(client.id)))["code"]
        token = (await exchange(api, client, code)).json()["access_token"]
        assert await is_valid(api, token)
        assert_error(await exchange(api, client, code), 400, "invalid_grant")
        assert not await is_valid(api, token)

    async def test_two_exchanges_at_once_do_not_both_win(self, api: Api) -> None:
        client = await public_client(api)
        await sign_in(api)
        code = brought(await decide(api, asking(client.id)))["code"]
        answers = await asyncio.gather(*(exchange(api, client, code) for _ in range(2)))
        assert sorted(answer.status_code for answer in answers) == [200, 400]
        winner = next(answer for answer in answers if answer.status_code == 200).json()
        assert not await is_valid(api, winner["access_token"])

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            ({"code_verifier": None}, "invalid_request"),
            ({"code_verifier": "x" * 43}, "invalid_grant"),
            ({"code_verifier": "short"}, "invalid_request"),
            ({"redirect_uri": LOOPBACK}, "invalid_grant"),
            ({"redirect_uri": None}, "invalid_grant"),
            ({"code": "vvc_forged"}, "invalid_grant"),
            ({"code": None}, "invalid_request"),
        ],
    )
    async def test_what_is_refused(
        self, api: Api, wrong: dict[str, str | None], error: str
    ) -> None:
        client = await public_client(api)
        await sign_in(api)
        code = brought(await decide(api, asking(client.id)))["code"]
        given = {"code": code, **wrong}
        answer = await exchange(api, client, **given)
        assert_error(answer, 400, error)

    async def test_a_code_is_its_client_s(self, api: Api) -> None:
        client, thief = await public_client(api), await public_client(api)
        await sign_in(api)
        code = brought(await decide(api, asking(client.id)))["code"]
        assert_error(await exchange(api, thief, code), 400, "invalid_grant")
        assert (await exchange(api, client, code)).status_code == 200

    async def test_a_server_may_leave_pkce_out_but_not_pretend(self, api: Api) -> None:
        name, secret = await secret_client(api)
        await sign_in(api)
        plain = asking(name, code_challenge=None, code_challenge_method=None)
        form = {"grant_type": "authorization_code", "redirect_uri": REDIRECT}
        code = brought(await decide(api, plain))["code"]
        added = await ask_token(api, **form, code=code, code_verifier=VERIFIER, auth=(name, secret))
        assert_error(added, 400, "invalid_request")
        left_out = await ask_token(api, **form, code=code, auth=(name, secret))
        assert left_out.status_code == 200
        code = brought(await decide(api, asking(name)))["code"]
        downgraded = await ask_token(api, **form, code=code, auth=(name, secret))
        assert_error(downgraded, 400, "invalid_request")

    @pytest.mark.parametrize(
        "wrong",
        [
            {"code_challenge": None, "code_challenge_method": None},
            {"code_challenge_method": "plain"},
            {"code_challenge_method": None},
            {"code_challenge": "short"},
            {"code_challenge": None},
        ],
    )
    async def test_pkce_is_demanded_when_asking(
        self, api: Api, wrong: dict[str, str | None]
    ) -> None:
        client = await public_client(api)
        await sign_in(api)
        answer = await api.client.get(f"/oauth/authorize?{urlencode(asking(client.id, **wrong))}")
        result = brought(answer)
        assert result["error"] == "invalid_request"
        assert result["state"] == "xyz"

    async def test_other_mistakes_are_told_to_the_client(self, api: Api) -> None:
        client = await public_client(api)
        cases: list[tuple[dict[str, str | None], str]] = [
            ({"response_type": "token"}, "unsupported_response_type"),
            ({"scope": "root"}, "invalid_scope"),
        ]
        for wrong, error in cases:
            asked = asking(client.id, **wrong)
            answer = await api.client.get(f"/oauth/authorize?{urlencode(asked)}")
            assert brought(answer)["error"] == error
        no_codes = await public_client(api, frozenset({Grant.PASSWORD}))
        answer = await api.client.get(f"/oauth/authorize?{urlencode(asking(no_codes.id))}")
        assert brought(answer)["error"] == "unauthorized_client"

    @pytest.mark.parametrize(
        "redirect",
        [
            "https://evil.example/back",
            "https://app.example.com/back/more",
            "https://app.example.com/back?x=1",
            "https://app.example.com/back#fragment",
            "https://app.example.com@evil.example/back",
            "https://app.example.com\\@evil.example/back",
            "//app.example.com/back",
            "http://app.example.com/back",
            "https://app.example.com:444/back",
            "http://127.0.0.1@evil.example/back",
            "http://evil@127.0.0.1:80/back",
            "http://127.0.0.1:x/back",
            "http://127.0.0.1:8080/other",
            "http://[::1/back",
            "javascript:alert(1)",
            "https://app.example.com/back\r\nX-Evil: 1",
        ],
    )
    async def test_nobody_is_sent_where_the_client_never_said(
        self, api: Api, redirect: str
    ) -> None:
        client = await public_client(api)
        await sign_in(api)
        asked = asking(client.id, redirect_uri=redirect)
        answer = await api.client.get(f"/oauth/authorize?{urlencode(asked)}")
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert 'role="alert"' in answer.text

    async def test_a_program_on_the_user_s_machine_takes_any_port(self, api: Api) -> None:
        client = await public_client(api)
        await sign_in(api)
        asked = asking(client.id, redirect_uri="http://127.0.0.1:51234/back")
        answer = await decide(api, asked)
        assert answer.headers["location"].startswith("http://127.0.0.1:51234/back?code=")

    @pytest.mark.parametrize(
        "redirect",
        [
            "http://127.0.0.1",
            "http://127.0.0.1/",
            "http://127.0.0.1:5000",
            "http://127.0.0.1:5000/deep/path",
            "http://localhost:5000/",
            "http://[::1]",
            "http://[::1]:5000/callback",
        ],
    )
    async def test_the_first_client_takes_any_loopback_path(self, api: Api, redirect: str) -> None:
        client = await public_client(api, uris=LOOPBACK_REDIRECTS)
        await sign_in(api)
        answer = await decide(api, asking(client.id, redirect_uri=redirect))
        assert answer.headers["location"].startswith(f"{redirect}?code=")

    @pytest.mark.parametrize(
        "redirect",
        [
            "http://127.0.0.2/",
            "https://127.0.0.1/",
            "http://127.0.0.1:5000/?x=1",
            "http://127.0.0.1:5000/#x",
            "http://127.0.0.1:5000#",
            "http://127.0.0.1.evil.example/",
            "http://evil@127.0.0.1/",
            "http://[::2]/",
        ],
    )
    async def test_and_nothing_else(self, api: Api, redirect: str) -> None:
        client = await public_client(api, uris=LOOPBACK_REDIRECTS)
        await sign_in(api)
        asked = asking(client.id, redirect_uri=redirect)
        answer = await api.client.get(f"/oauth/authorize?{urlencode(asked)}")
        assert answer.status_code == 400

    async def test_an_only_redirect_need_not_be_named(self, api: Api) -> None:
        client = await public_client(api, uris=(REDIRECT,))
        await sign_in(api)
        code = brought(await decide(api, asking(client.id, redirect_uri=None)))["code"]
        assert (await exchange(api, client, code, redirect_uri=None)).status_code == 200

    async def test_who_is_not_known_is_not_redirected(self, api: Api) -> None:
        for nobody in ("nobody", ""):
            asked = asking(nobody)
            answer = await api.client.get(f"/oauth/authorize?{urlencode(asked)}")
            assert answer.status_code == 400
            assert "location" not in answer.headers
            assert "This request cannot be completed" in answer.text
            assert "$" not in answer.text
        unasked = await api.client.get("/oauth/authorize?client_id=nobody")
        assert sentences(unasked) == [f"{INVALID} unsupported_response_type"]
        twice = await api.client.get("/oauth/authorize?client_id=a&client_id=b")
        assert twice.status_code == 400
        assert sentences(twice) == [f"{INVALID} The parameter client_id is given twice."]

    async def test_only_our_own_page_can_allow(self, api: Api) -> None:
        client = await public_client(api)
        await sign_in(api)
        url = f"/oauth/authorize?{urlencode(asking(client.id))}"
        for proof in ("", "0" * 64, "\udcff"):
            forged = await api.client.post(
                url,
                content=urlencode({"proof": proof.encode("utf-8", "replace"), "decision": "allow"}),
                headers={"Content-Type": "application/x-www-form-urlencoded"},
            )
            assert forged.status_code == 403
            assert "location" not in forged.headers
            (sentence,) = sentences(forged)
            assert "start again" in sentence
        elsewhere = await decide_from(api, url, "https://evil.example")
        assert elsewhere.status_code == 403
        api.client.cookies.clear()
        nobody = await api.client.post(url, data={"decision": "allow"})
        assert nobody.status_code == 401

    async def test_an_agent_of_another_site_is_not_asked(self, api: Api) -> None:
        other = await api.other_site()
        client = await public_client(api, site_id=other)
        await sign_in(api)
        url = f"/oauth/authorize?{urlencode(asking(client.id))}"
        asked = await api.client.get(url)
        assert asked.status_code == 403
        assert sentences(asked) == ["This program belongs to a different site than your account."]
        assert (await api.client.post(url, data={"decision": "allow"})).status_code == 403

    async def test_a_state_cannot_break_the_header(self, api: Api) -> None:
        client = await public_client(api)
        await sign_in(api)
        evil = "a\r\nSet-Cookie: evil=1"
        answer = await decide(api, asking(client.id, state=evil))
        assert brought(answer)["state"] == evil
        assert "set-cookie" not in answer.headers


async def decide_from(api: Api, url: str, origin: str) -> httpx2.Response:
    page = await api.client.get(url)
    match = re.search(r'name="proof" value="(\w+)"', page.text)
    assert match
    form = {"proof": match[1], "decision": "allow"}
    return await api.client.post(url, data=form, headers={"Origin": origin})


class TestTokens:
    async def test_whose_token_it_is(self, api: Api) -> None:
        client = await public_client(api)
        token = (await by_password(api, client))["access_token"]
        answer = await api.call("GET", "/oauth/userinfo", token=token)
        info = answer.json()
        assert info["agentId"] == api.administrator.id
        assert info["siteId"] == 1
        assert info["email"] == "admin@example.com"
        assert info["sub"] == str(api.administrator.id)
        forged = await api.call("GET", "/oauth/userinfo", token="vv_forged")
        assert forged.status_code == 401
        assert 'error="invalid_token"' in forged.headers["www-authenticate"]

    async def test_revoking_an_access_token(self, api: Api) -> None:
        client = await public_client(api)
        first = await by_password(api, client)
        form = {"client_id": client.id, "token": first["access_token"]}
        assert (await api.client.post("/oauth/revoke", data=form)).status_code == 200
        assert not await is_valid(api, first["access_token"])
        assert (await refresh(api, client, first["refresh_token"])).status_code == 200

    async def test_revoking_a_refresh_token_takes_the_family(self, api: Api) -> None:
        client = await public_client(api)
        first = await by_password(api, client)
        form = {"client_id": client.id, "token": first["refresh_token"]}
        assert (await api.client.post("/oauth/revoke", data=form)).status_code == 200
        assert not await is_valid(api, first["access_token"])

    async def test_nobody_revokes_what_is_not_theirs(self, api: Api) -> None:
        client, thief = await public_client(api), await public_client(api)
        first = await by_password(api, client)
        form = {"client_id": thief.id, "token": first["access_token"]}
        answer = await api.client.post("/oauth/revoke", data=form)
        assert_error(answer, 400, "invalid_grant")
        assert await is_valid(api, first["access_token"])
        page_s = {"client_id": client.id, "token": api.token}
        assert (await api.client.post("/oauth/revoke", data=page_s)).status_code == 200
        assert await is_valid(api, api.token)

    async def test_revoking_nothing_is_fine(self, api: Api) -> None:
        client = await public_client(api)
        form = {"client_id": client.id, "token": "vv_unknown"}
        assert (await api.client.post("/oauth/revoke", data=form)).status_code == 200
        hint = {**form, "token_type_hint": "cookie"}
        assert (await api.client.post("/oauth/revoke", data=hint)).status_code == 200
        answer = await api.client.post("/oauth/revoke", data={"client_id": client.id})
        assert_error(answer, 400, "invalid_request")

    async def test_introspection_tells_the_site_s_servers(self, api: Api) -> None:
        client, server = await public_client(api), await secret_client(api)
        first = await by_password(api, client, scope="manage_settings")

        async def inspect(token: str, auth: tuple[str, str]) -> dict[str, Any]:
            form = {"token": token}
            answer = await api.client.post("/oauth/introspect", data=form, auth=auth)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["cache-control"] == "no-store"
            return dict(answer.json())

        told = await inspect(first["access_token"], server)
        assert told["active"] is True
        assert told["scope"] == "manage_settings"
        assert told["client_id"] == client.id
        assert told["exp"] - told["iat"] == 43_199
        assert (await inspect("vv_unknown", server)) == {"active": False}
        assert (await inspect(api.token, server)) == {"active": False}
        second = (await refresh(api, client, first["refresh_token"])).json()
        assert (await inspect(first["refresh_token"], server)) == {"active": False}
        assert (await inspect(second["refresh_token"], server))["active"] is True
        stranger = await secret_client(api, await api.other_site())
        assert (await inspect(second["access_token"], stranger)) == {"active": False}
        form = {"token": first["access_token"], "client_id": client.id}
        answer = await api.client.post("/oauth/introspect", data=form)
        assert_error(answer, 401, "invalid_client")

    async def test_the_metadata_tell_the_truth(self, api: Api) -> None:
        told = (await api.client.get("/.well-known/oauth-authorization-server")).json()
        assert told["issuer"] == api.app.settings.base_url
        for name, address in told.items():
            if name.endswith("_endpoint"):
                path = address.removeprefix(told["issuer"])
                assert (await api.client.request("PATCH", path)).status_code == 405, name
        assert told["code_challenge_methods_supported"] == ["S256"]


class TestMalformed:
    @pytest.mark.parametrize(
        "body",
        [
            b"grant_type=password&grant_type=password",
            b"grant_type=%00",
            b"grant_type=%ff",
            b"grant_type=\xff",
            b"client_id=%ED%A0%80",
            b"client_id=a%22b",
            b"grant_type=%0d%0a",
            b"&".join(b"a%d=1" % n for n in range(60)),
        ],
    )
    async def test_forms(self, api: Api, body: bytes) -> None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        for path in ("/oauth/token", "/oauth/revoke", "/oauth/introspect"):
            answer = await api.client.post(path, content=body, headers=headers)
            assert_error(answer, 400, "invalid_request")

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"{",
            b'{"grant_type": 1}',
            b'{"grant_type": "\\u0000"}',
            b'{"grant_type": "\\ud800"}',
            b'{"scope": "1", "SCOPE": "1"}',
            b"[" * 10_000,
            b"\xff",
        ],
    )
    async def test_json(self, api: Api, body: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        answer = await api.client.post("/oauth/token", content=body, headers=headers)
        assert_error(answer, 400, "invalid_request")

    async def test_grants_that_do_not_exist(self, api: Api) -> None:
        client = await public_client(api)
        answer = await ask_token(api, grant_type="magic", client_id=client.id)
        assert_error(answer, 400, "unsupported_grant_type")
        assert_error(await ask_token(api, client_id=client.id), 400, "unsupported_grant_type")

    async def test_a_large_body(self, api: Api) -> None:
        body = json.dumps({"grant_type": "x" * 100_000})
        headers = {"Content-Type": "application/json"}
        answer = await api.client.post("/oauth/token", content=body, headers=headers)
        assert answer.status_code == 413

    async def test_injection_finds_nothing(self, api: Api) -> None:
        evil = "' OR '1'='1"
        answer = await ask_token(api, grant_type="password", client_id=evil, **PASSWORD)
        assert_error(answer, 400, "invalid_client")
        client = await public_client(api)
        form = {"grant_type": "password", "client_id": client.id, "email": evil, "password": evil}
        assert_error(await ask_token(api, **form), 400, "invalid_grant")
        assert (await api.call("GET", PATH, token=evil)).status_code == 401
