"""Reads the contents of an uploaded file: `python -m visavis.archive.inspect SOURCE`.

Prints them as JSON. A confined process of its own: a file that was uploaded may be anything.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import msgspec

from visavis.archive.media_reader import read_media_info
from visavis.archive.sandbox import confine

CPU_SECONDS: Final = 20


def main() -> None:
    confine(cpu_seconds=CPU_SECONDS, file_bytes=0)
    sys.stdout.buffer.write(msgspec.json.encode(read_media_info(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
