"""Build of the native packet path with the C compiler of this machine, if it has one.

    python -m visavis.media.native.build

This runs when Visavis is installed. A machine without a compiler uses the packet path in Python,
which does the same.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from zlib import crc32

DIRECTORY: Final = Path(__file__).parent
SOURCE: Final = DIRECTORY / "packet_path.c"
HEADER: Final = DIRECTORY / "packet_path.h"
LIBRARY: Final = "packet_path.so"
OPTIONS: Final = (
    *("-std=c11", "-O2", "-g0", "-fPIC", "-shared", "-pthread"),
    *("-Wall", "-Wextra", "-Werror", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong"),
)
BUILD_SECONDS: Final = 120.0


class BuildError(Exception):
    """The library cannot be built on this machine."""


def build(directory: Path = DIRECTORY, options: Sequence[str] = OPTIONS) -> Path:
    """Compile the library into `directory` and return its path; raises `BuildError`."""
    if not sys.platform.startswith("linux"):
        raise BuildError("it needs Linux")
    compiler = shlex.split(os.environ.get("CC", "")) or [_compiler()]
    library = directory / LIBRARY
    hidden = library.with_suffix(f".{os.getpid()}")
    version = f"-DHEADER_CRC32={crc32(HEADER.read_bytes())}u"  # Python uses no other version.
    command = [*compiler, *options, version, "-o", str(hidden), str(SOURCE)]
    try:
        subprocess.run(  # noqa: S603  the compiler chosen by the user who installs Visavis
            command, check=True, capture_output=True, text=True, timeout=BUILD_SECONDS
        )
        hidden.replace(library)  # A running process keeps the file that it has loaded.
    except subprocess.CalledProcessError as error:
        raise BuildError(f"the compiler says: {error.stderr.strip()}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(str(error)) from None
    finally:
        hidden.unlink(missing_ok=True)
    return library


def is_current(directory: Path = DIRECTORY) -> bool:
    """Whether the library exists and is newer than its sources."""
    try:
        built = (directory / LIBRARY).stat().st_mtime
    except FileNotFoundError:
        return False
    return all(source.stat().st_mtime <= built for source in (SOURCE, HEADER))


def _compiler() -> str:
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return found
    raise BuildError("no C compiler is installed")


def main() -> int:
    """Build the library, or say why the packet path in Python is used."""
    try:
        print(f"built {build()}")  # noqa: T201
    except BuildError as error:
        print(f"the packet path in Python is used: {error}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
