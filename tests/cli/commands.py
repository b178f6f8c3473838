"""The commands as a person types them."""

from __future__ import annotations

import subprocess

from tests.running import VISAVIS


def visavis(
    *arguments: object, said: str = "", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [VISAVIS, *map(str, arguments)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        input=said,
        env=environment,
    )
