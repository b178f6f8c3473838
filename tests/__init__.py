"""The tests. A worker that measures coverage puts its probes in before it imports the product."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.probes import Probes

COVERAGE = "VISAVIS_TESTS_COVERAGE"
"""Environment variable: the directory where the workers of pytest-xdist write what they ran."""

installed_probes: Probes | None = None
"""The probes of this process. Processes that it starts have none: a test may kill them."""
if "PYTEST_XDIST_WORKER" in os.environ and (directory := os.environ.pop(COVERAGE, "")):
    from tests.probes import Probes

    installed_probes = Probes(directory)
