"""Visavis: self-hosted audio and video chat for live chat."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

__version__ = "0.2.0"


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Let imports of a package fail as if it were not installed, unless it is imported already."""
    if name in sys.modules:
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]  # documented by Python for this purpose
    try:
        yield
    finally:
        del sys.modules[name]


# structlog imports Rich if any other program has installed it, for tracebacks that we do not use.
# That would take a tenth of a second of CPU time in every process. All of them import this first.
with _hidden("rich"):
    import structlog  # noqa: F401
