"""The public port: of one process, or shared by several processes of this user."""

from __future__ import annotations

import socket

import pytest

from visavis.listener import listen, share


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "::"])
def test_processes_share_a_port_once_they_listen(host: str) -> None:
    with share(host, 0) as first:
        port = first.getsockname()[1]
        with share(host, port) as second:
            second.listen()  # the first one is still starting
            with pytest.raises(OSError, match="is already in use"):
                listen(host, port)
            for _ in range(8):
                place = "127.0.0.1" if host == "::" else host
                with socket.create_connection((place, port)), second.accept()[0]:
                    pass


def test_a_port_is_not_shared_with_another_server() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(OSError, match="is already in use"):
        share("127.0.0.1", taken.getsockname()[1])
