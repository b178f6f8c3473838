"""Changes of data that processes keep in memory, by name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """Kinds of data that processes keep: a site's settings; agents' tokens, keys and rights."""

    SETTINGS = "settings"
    RIGHTS = "rights"


@dataclass(frozen=True, slots=True)
class Change:
    """A change at one site: of the rights of one agent, or of every agent if that is None."""

    kind: ChangeKind
    site_id: int
    agent_id: int | None = None


def rights_changed(site_id: int, agent_id: int | None = None) -> Change:
    return Change(ChangeKind.RIGHTS, site_id, agent_id)


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Several changes, or, with `is_everything`, changes of which nobody knows the names."""

    rights: frozenset[tuple[int, int | None]] = frozenset()
    settings: frozenset[int] = frozenset()
    is_everything: bool = False

    def concerns_agent(self, site_id: int, agent_id: int) -> bool:
        named = self.rights
        return self.is_everything or (site_id, agent_id) in named or (site_id, None) in named

    def concerns_settings(self, site_id: int) -> bool:
        return self.is_everything or site_id in self.settings


EVERYTHING = ChangeSet(is_everything=True)


def change_set(changes: Collection[Change]) -> ChangeSet:
    rights, settings = ChangeKind.RIGHTS, ChangeKind.SETTINGS
    return ChangeSet(
        frozenset((one.site_id, one.agent_id) for one in changes if one.kind is rights),
        frozenset(one.site_id for one in changes if one.kind is settings),
    )
