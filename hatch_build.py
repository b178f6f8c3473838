"""Build hook: compile the native packet path where that can be done, for wheels and for `make run`.

Without a C compiler, the package uses the packet path in Python.
"""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

DIRECTORY = Path("src/visavis/media/native")


class NativePathHook(BuildHookInterface[Any]):
    """Adds the library to the wheel, whose tag then names the platform.

    Python calls the library by cffi, so it does not depend on the version of Python.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        directory = Path(self.root) / DIRECTORY
        build = _load(directory / "build.py")
        try:
            library = build.build(directory)
        except build.BuildError as error:
            self.app.display_info(f"The packet path in Python will be used: {error}")
            return
        if version == "standard":
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["artifacts"].append(str(library.relative_to(self.root)))
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{platform}"


def _load(path: Path) -> Any:
    """Load a module from its file, because its package is not installed yet."""
    spec = importlib.util.spec_from_file_location("native_build", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
