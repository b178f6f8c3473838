"""The network that the limits count a request for, and the sockets that one network may have."""

from __future__ import annotations

import pytest

from tests.web.conftest import Api
from visavis.domain.errors import VisavisError
from visavis.web.open_sockets import OpenSockets
from visavis.web.request import index_headers
from visavis.web.source import MAX_PROXIES, UnlistedProxies, network_of, source_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("", ""),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_network(address: str, network: str) -> None:
    assert network_of(address) == network


def source(client: tuple[str, int] | None, forwarded: str = "") -> str:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope = {"type": "http", "client": client, "headers": headers}
    index_headers(scope)
    return source_of(scope)


def test_an_unlisted_proxy_on_loopback_is_not_this_machine() -> None:
    assert source(("127.0.0.1", 5000)) == ""
    assert source(("127.0.0.1", 5000), "203.0.113.9, 198.51.100.1") == "198.51.100.1"
    assert source(("127.0.0.1", 5000), "127.0.0.1") == "unlisted proxy"


def test_anybody_else_s_header_is_ignored() -> None:
    assert source(("192.0.2.7", 5000), "203.0.113.9") == "192.0.2.7"
    assert source(("203.0.113.9", 0), "203.0.113.9") == "203.0.113.9"  # as uvicorn has read it
    assert source(None, "203.0.113.9") == ""


def test_unlisted_proxies_are_named() -> None:
    proxies = UnlistedProxies()
    assert proxies.warning() == ""
    for n in range(100):
        proxies.add(f"192.0.2.{n}")
    assert len(proxies.addresses) == MAX_PROXIES
    assert "192.0.2.1" in proxies.warning()


def test_a_network_and_a_site_have_so_many_sockets() -> None:
    sockets = OpenSockets(per_source=2, per_site=3)
    first, second = sockets.reserve("a", 1), sockets.reserve("a", 1)
    with pytest.raises(VisavisError):
        sockets.reserve("a", 1)
    third = sockets.reserve("", 1)
    with pytest.raises(VisavisError):
        sockets.reserve("b", 1)
    agent = sockets.reserve("", 0)
    assert (sockets.count, sockets.refused) == (4, 2)
    for place in (first, second, third, agent):
        with place:
            pass
    assert sockets.count == 0
    with sockets.reserve("a", 1):
        assert sockets.count == 1


@pytest.mark.anyio
async def test_administrators_hear_of_a_proxy_that_is_not_listed(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxies = UnlistedProxies()
    for module in ("source", "api.session"):
        monkeypatch.setattr(f"visavis.web.{module}.UNLISTED_PROXIES", proxies)
    assert (await api.call("GET", "/session")).json()["unlistedProxies"] == []
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    described = (await api.call("GET", "/session", headers=forwarded)).json()
    assert described["unlistedProxies"] == ["127.0.0.1"]  # the transport's client
    agent = (await api.call("GET", "/session", token=await api.agent_token())).json()
    assert agent["unlistedProxies"] == []
