"""Settings of a site that its administrators can change."""

from __future__ import annotations

from dataclasses import dataclass

from visavis.domain.call_timings import CallTimings
from visavis.domain.config import Config
from visavis.domain.policy import RecordingPolicy


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """All settings of a site, as they apply to its calls.

    The REST API has two resources for them, each with its own version: the configuration, which is
    compatible with the hosted product, and the policy, which has all other settings.
    """

    config: Config
    policy: RecordingPolicy

    @property
    def timings(self) -> CallTimings:
        """Time limits of calls that begin after a change."""
        return self.policy.timings

    @property
    def ring_limit(self) -> int | None:
        """Number of agents at whom a call rings at first, `None` for all."""
        return self.policy.ring_limit
