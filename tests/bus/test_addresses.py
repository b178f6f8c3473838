from __future__ import annotations

import pytest

from visavis.bus.addresses import BusAddress, has_secret, parse


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("nats://n1", BusAddress(False, ("n1:4222",))),
        ("nats://n1,n2:4223/", BusAddress(False, ("n1:4222", "n2:4223"))),
        (
            "tls://ann:a%40b@n1,[2001:db8::1]",
            BusAddress(True, ("n1:4222", "[2001:db8::1]:4222"), "ann", "a@b"),
        ),
        ("nats://t0ken@192.0.2.1:5000", BusAddress(False, ("192.0.2.1:5000",), "t0ken")),
    ],
)
def test_a_url_has_servers_and_a_user(url: str, address: BusAddress) -> None:
    assert parse(url) == address
    assert has_secret(url) == bool(address.user)


@pytest.mark.parametrize("user", ["ann:s3cret", "s3cret"])
def test_the_text_of_an_address_has_no_secret(user: str) -> None:
    assert "s3cret" not in repr(parse(f"nats://{user}@n1"))


@pytest.mark.parametrize(
    "url",
    [
        "n1:4222",
        "http://n1",
        "nats://",
        "nats://n1:port",
        "nats://n1,",
        "nats://n1/path",
        "nats://ann:s3cret@n1:99999",
        "nats://n 1",
    ],
)
def test_another_url_is_refused_without_its_secret(url: str) -> None:
    with pytest.raises(ValueError, match=r"takes a URL|has an invalid host") as raised:
        parse(url)
    assert "s3cret" not in str(raised.value)
