"""The commands as a person types them."""

from __future__ import annotations

import subprocess

from tests.running import PATIENCE, VISAVIS


def visavis(
    *arguments: object, said: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [VISAVIS, *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        input=said,
        env=environment,
    )
