from __future__ import annotations

from dataclasses import replace

import pytest

from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.people import EVERY_PERMISSION, Agent, Permission, operator

AGENT = Agent(1, 1, "bo@example.com", "Bo", is_administrator=False)
ADMINISTRATOR = replace(AGENT, is_administrator=True)
SETTINGS = Permission.MANAGE_SETTINGS


def test_an_administrator_may_do_everything() -> None:
    assert ADMINISTRATOR.permissions == EVERY_PERMISSION
    assert all(ADMINISTRATOR.may(permission) for permission in Permission)


def test_an_agent_may_do_only_what_was_granted() -> None:
    agent = replace(AGENT, granted=frozenset({SETTINGS}))
    assert [agent.may(one) for one in Permission] == [one is SETTINGS for one in Permission]
    agent.require(SETTINGS)
    with pytest.raises(VisavisError) as caught:
        agent.require(Permission.VIEW_RECORDINGS)
    assert caught.value.kind is ErrorKind.PermissionDenied
    assert "View Recordings" in caught.value.message


def test_a_token_never_shows_more_than_the_agent() -> None:
    agent = replace(AGENT, granted=frozenset({SETTINGS}))
    every_scope = frozenset(permission.scope for permission in Permission)
    assert agent.limited_to(every_scope).permissions == {SETTINGS}
    assert agent.limited_to(frozenset()).permissions == frozenset()


def test_a_token_of_an_administrator_may_show_less() -> None:
    limited = ADMINISTRATOR.limited_to(frozenset({SETTINGS.scope}))
    assert not limited.is_administrator
    assert limited.permissions == {SETTINGS}
    every_scope = frozenset(permission.scope for permission in Permission)
    assert ADMINISTRATOR.limited_to(every_scope) is ADMINISTRATOR


def test_the_operator_acts_for_any_site() -> None:
    assert operator(7).site_id == 7
    assert operator(7).permissions == EVERY_PERMISSION
