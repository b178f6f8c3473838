from __future__ import annotations

import pytest

from visavis.bus.local import LocalBus
from visavis.services.ports import Bus


@pytest.fixture
def ends() -> tuple[Bus, Bus]:
    """Two ends of a bus."""
    bus = LocalBus()
    return bus, bus
