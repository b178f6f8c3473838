"""Probes that record which lines and branches of the product a worker of pytest-xdist runs.

Slipcover puts them into the code of a module when the module is imported. A tracing function, which
Python before 3.12 calls for each line, would double the processor time of the tests.
"""

from __future__ import annotations

import importlib.util
import json
import os
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

from slipcover import FileMatcher, ImportManager, Slipcover
from slipcover.importer import SlipcoverLoader

SOURCE = Path(__file__).resolve().parents[1] / "src" / "visavis"
EXCLUDED = (r"if TYPE_CHECKING:", r"class .*\(Protocol\):", r"@overload")
"""Lines that begin what no test has to run."""


class Probes:
    """Instruments each module of the product that is imported from now on."""

    def __init__(self, directory: str) -> None:
        self._path = Path(directory, f"{os.environ['PYTEST_XDIST_WORKER']}.json")
        source = [str(SOURCE)]
        self._slipcover = Slipcover(branch=True, source=source, exclude_also=list(EXCLUDED))
        self._ours = FileMatcher(sources=source)
        ImportManager(self._slipcover, self._ours).__enter__()
        self._instrument_migrations()

    def write(self) -> None:
        """Write what ran in this process into the directory, as JSON of Slipcover."""
        self._path.write_text(json.dumps(self._slipcover.get_coverage()))

    def _instrument_migrations(self) -> None:
        """Alembic loads them by path, past the finders of modules."""
        unwrapped = importlib.util.spec_from_file_location

        def spec_of(name: str, location: Any = None, **options: Any) -> ModuleSpec | None:
            spec = unwrapped(name, location, **options)
            if spec and spec.loader and self._ours.matches(spec.origin):
                spec.loader = SlipcoverLoader(self._slipcover, spec.loader, str(spec.origin))
            return spec

        importlib.util.spec_from_file_location = spec_of
