"""The certificate authorities that the tests' HTTP clients trust."""

from __future__ import annotations

from typing import Final

import httpx2

TRUST: Final = httpx2.create_ssl_context()
"""One for each process: to read the authorities takes 40 ms, and a client without it does so."""
