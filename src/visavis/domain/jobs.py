"""Leases of periodic jobs that one process at a time does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobLease:
    """Lease of a job: its holder, or the process that held it last.

    `term` rises with each holder. `is_due` says whether the job is to be done and nobody does it.
    `figures` are the result of the newest run.
    """

    name: str
    holder: str
    term: int
    is_due: bool
    figures: Mapping[str, float] | None
