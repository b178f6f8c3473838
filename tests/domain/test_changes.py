from __future__ import annotations

from visavis.domain.changes import (
    EVERYTHING,
    Change,
    ChangeKind,
    ChangeSet,
    change_set,
    rights_changed,
)


def test_a_change_of_rights_concerns_one_agent_or_every_agent_of_a_site() -> None:
    one, every = change_set([rights_changed(1, 2)]), change_set([rights_changed(1)])
    assert one.concerns_agent(1, 2)
    assert every.concerns_agent(1, 2)
    assert not one.concerns_agent(1, 3)
    assert not every.concerns_agent(2, 2)
    assert not one.concerns_settings(1)


def test_a_change_of_settings_concerns_one_site() -> None:
    changes = change_set([Change(ChangeKind.SETTINGS, 1)])
    assert changes.concerns_settings(1)
    assert not changes.concerns_settings(2)
    assert not changes.concerns_agent(1, 1)


def test_everything_concerns_everybody() -> None:
    assert EVERYTHING.concerns_agent(1, 2)
    assert EVERYTHING.concerns_settings(3)
    assert EVERYTHING != change_set([]) == ChangeSet()
