"""Visavis: self-hosted audio and video chat for live chat."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, cast

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


class _LoaderWithoutRich:
    """Loader of structlog that hides Rich from it."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return cast("ModuleType | None", self._loader.create_module(spec))

    def exec_module(self, module: ModuleType) -> None:
        with _hidden("rich"):
            self._loader.exec_module(module)


class _StructlogFinder:
    """Finder of structlog, for its first import.

    structlog imports Rich if any other program has installed it, for tracebacks that we do not use.
    That would take a tenth of a second of CPU time in every process. structlog itself takes a fifth
    of a second, so processes that log nothing do not import it.
    """

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "structlog":
            return None
        sys.meta_path.remove(cls)
        spec = PathFinder.find_spec(name, path, target)
        if spec:
            spec.loader = cast(Any, _LoaderWithoutRich(spec.loader))
        return spec


if "structlog" not in sys.modules:
    sys.meta_path.insert(0, _StructlogFinder)
