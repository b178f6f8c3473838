"""Commands in the tests' own process."""

from __future__ import annotations

import pytest

from tests.web.conftest import QUICK
from visavis.store import passwords


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "PasswordHasher", lambda: QUICK)
