"""Permitted addresses, in every notation."""

from __future__ import annotations

import pytest

from visavis.outbound.address_guard import ForbiddenAddressError, refusal_reason, vetted_addresses

PUBLIC = ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]
PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd12::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
]
NEVER = [
    "169.254.169.254",
    "169.254.1.1",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "fd00:ec2::254",
    "fd20:ce::254",
    "0.0.0.0",
    "0.1.2.3",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "::ffff:169.254.169.254",
    "::169.254.169.254",
    "2002:a9fe:a9fe::",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2001:0:0:0:0:0:5601:5601",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_dialled(address: str) -> None:
    assert refusal_reason(address, allow_private=False) == ""


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_the_operator(address: str) -> None:
    assert "--allow-private-recording-servers" in refusal_reason(address, allow_private=False)
    assert refusal_reason(address, allow_private=True) == ""


@pytest.mark.parametrize("address", NEVER)
def test_metadata_and_the_like_are_never_dialled(address: str) -> None:
    assert refusal_reason(address, allow_private=True) == "recordings are never delivered there."


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost"])
async def test_it_is_what_a_name_resolves_to_that_counts(host: str) -> None:
    with pytest.raises(ForbiddenAddressError, match=f"^{host} is at "):
        await vetted_addresses(host, 80, allow_private=False)
    assert await vetted_addresses(host, 80, allow_private=True)


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".example", "a..b"])
async def test_names_that_are_none(host: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        await vetted_addresses(host, 80, allow_private=True)
