"""Names of changed data, by which other processes remove them from their caches."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """Kinds of cached data: the settings of a site; the tokens, keys and permissions of agents."""

    SETTINGS = "settings"
    RIGHTS = "rights"


@dataclass(frozen=True, slots=True)
class Change:
    """A change in one site; `agent_id` is the agent whose rights changed, `None` for all."""

    kind: ChangeKind
    site_id: int
    agent_id: int | None = None


def rights_changed(site_id: int, agent_id: int | None = None) -> Change:
    """Return a change of the rights of one agent, or of all agents of a site."""
    return Change(ChangeKind.RIGHTS, site_id, agent_id)


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Several changes. `is_everything` means that anything may have changed."""

    rights: frozenset[tuple[int, int | None]] = frozenset()
    settings: frozenset[int] = frozenset()
    is_everything: bool = False

    def concerns_agent(self, site_id: int, agent_id: int) -> bool:
        """Whether the rights of the agent may have changed."""
        named = self.rights
        return self.is_everything or (site_id, agent_id) in named or (site_id, None) in named

    def concerns_settings(self, site_id: int) -> bool:
        """Whether the settings of the site may have changed."""
        return self.is_everything or site_id in self.settings


EVERYTHING = ChangeSet(is_everything=True)


def change_set(changes: Collection[Change]) -> ChangeSet:
    rights, settings = ChangeKind.RIGHTS, ChangeKind.SETTINGS
    return ChangeSet(
        frozenset((one.site_id, one.agent_id) for one in changes if one.kind is rights),
        frozenset(one.site_id for one in changes if one.kind is settings),
    )
