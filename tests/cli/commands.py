"""The commands as a person types them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from click.testing import CliRunner, Result

from tests.running import PATIENCE, VISAVIS
from visavis.cli import main


def visavis(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command as a process of its own, which imports for a second or two."""
    command = [VISAVIS, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)


def visavis_here(*arguments: object, environment: Mapping[str, str] | None = None) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, [*map(str, arguments)], env=environment)
