"""The router between a browser and the relay ends with the test that asked for it."""

from __future__ import annotations

import threading
from typing import cast

import pytest

from tests.e2e.networks.ways import router_to
from tests.running import System


class NoSystem:
    media_port = 9


def interrupt() -> None:
    with router_to(cast(System, NoSystem()), seed=1) as router:
        router.ask(router.nat.open())
        raise KeyboardInterrupt


def test_an_interrupted_test_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert set(threading.enumerate()) == before
