from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from visavis.recorder_process import half_of_the_cores
from visavis.settings import Settings, decode_settings, encode_settings


def test_a_child_process_gets_the_same_settings() -> None:
    settings = Settings(data_dir=Path("/x"), port=1, advertise_addresses=("192.0.2.1",))
    line = encode_settings(settings)
    assert b"\n" not in line
    assert decode_settings(line) == settings


def test_base_url_is_one_a_browser_can_open() -> None:
    assert Settings(host="0.0.0.0").base_url == "http://127.0.0.1:8080"
    assert Settings(host="::1").base_url == "http://[::1]:8080"
    assert Settings(public_url="https://chat.example/").base_url == "https://chat.example"
    assert Settings(archive=False).archive_url == ""


@pytest.mark.parametrize(("cores", "muxers"), [(None, 1), (1, 1), (2, 1), (3, 2), (8, 4)])
def test_half_of_the_cores_make_recordings_into_files(
    monkeypatch: pytest.MonkeyPatch, cores: int | None, muxers: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    assert Settings().parallel_muxers == 0
    assert half_of_the_cores() == muxers


@pytest.mark.parametrize(
    ("chosen", "address", "is_local"),
    [
        ({}, "", True),
        ({"host": "::1"}, "", True),
        ({"host": "0.0.0.0"}, "", False),
        ({"host": "::"}, "", False),
        ({"host": "192.0.2.1"}, "192.0.2.1", False),
        ({"public_url": "https://chat.example"}, "", False),
        ({"trusted_proxies": ("127.0.0.1",)}, "", False),
        ({"advertise_addresses": ("192.0.2.1",)}, "", False),
        ({"media_host": "127.0.0.1", "host": "0.0.0.0"}, "", True),
        ({"media_host": "0.0.0.0"}, "", False),
        ({"media_host": "2001:db8::1"}, "2001:db8::1", False),
    ],
)
def test_media_follow_the_host(chosen: dict[str, Any], address: str, is_local: bool) -> None:
    settings = Settings(**chosen)
    assert settings.media_address == address
    assert settings.is_media_local is is_local
