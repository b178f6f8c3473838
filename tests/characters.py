"""The table of the characters that UTF-8 can encode, where Hypothesis looks for it.

Hypothesis encodes and decodes each character there is, and keeps the result. This takes each
process that has no copy ten seconds, and several need it at once after a fresh clone.
"""

from __future__ import annotations

import gzip
import json
import unicodedata
from pathlib import Path
from typing import Final

ENCODABLE: Final = ((0, 0xD7FF), (0xE000, 0x10FFFF))
"""All but the surrogates."""
CHANGED: Final = ()
"""Characters that are others once they are encoded and decoded."""


def write_table(storage: Path) -> Path:
    """Write the table into a storage directory of Hypothesis, and return its path."""
    directory = storage / "unicode_data" / unicodedata.unidata_version
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "codec-v2-utf-8.json.gz"
    path.write_bytes(gzip.compress(json.dumps([ENCODABLE, CHANGED]).encode()))
    return path
