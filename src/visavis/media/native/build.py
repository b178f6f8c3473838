"""Build of the native packet path with the C compiler of this machine, if it has one.

    python -m visavis.media.native.build

It is run when Visavis is installed. A machine without a compiler or without Python's headers has
the packet path in Python instead, which does the same.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Final

DIRECTORY: Final = Path(__file__).parent
SOURCES: Final = ("packet_path.c", "module.c")
HEADERS: Final = ("packet_path.h",)
LIBRARY: Final = "_packet_path.abi3.so"
OPTIONS: Final = (
    *("-std=c11", "-O2", "-g0", "-fPIC", "-shared", "-pthread", "-fvisibility=hidden"),
    *("-Wall", "-Wextra", "-Werror", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong"),
)
BUILD_SECONDS: Final = 120.0


class BuildError(Exception):
    """The extension cannot be built here."""


def build(directory: Path = DIRECTORY, options: Sequence[str] = OPTIONS) -> Path:
    """Compile the extension into `directory` and return it; raises `BuildError`."""
    if not sys.platform.startswith("linux"):
        raise BuildError("it needs Linux")
    compiler = shlex.split(os.environ.get("CC", "")) or [_compiler()]
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").is_file():
        raise BuildError("Python's headers are not installed")
    library = directory / LIBRARY
    hidden = library.with_suffix(f".{os.getpid()}")
    sources = [str(DIRECTORY / source) for source in SOURCES]
    command = [*compiler, *options, f"-I{headers}", "-o", str(hidden), *sources]
    try:
        subprocess.run(  # noqa: S603  the compiler of whoever installs it
            command, check=True, capture_output=True, text=True, timeout=BUILD_SECONDS
        )
        hidden.replace(library)  # a running process keeps the file that it has loaded
    except subprocess.CalledProcessError as error:
        raise BuildError(f"the compiler says: {error.stderr.strip()}") from None
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(str(error)) from None
    finally:
        hidden.unlink(missing_ok=True)
    return library


def is_current(directory: Path = DIRECTORY) -> bool:
    """Whether the extension is there and newer than its sources."""
    try:
        built = (directory / LIBRARY).stat().st_mtime
    except FileNotFoundError:
        return False
    return all((DIRECTORY / name).stat().st_mtime <= built for name in (*SOURCES, *HEADERS))


def _compiler() -> str:
    for name in ("cc", "gcc", "clang"):
        if found := shutil.which(name):
            return found
    raise BuildError("no C compiler is installed")


def main() -> int:
    try:
        print(f"built {build()}")  # noqa: T201
    except BuildError as error:
        print(f"the packet path in Python is used: {error}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
