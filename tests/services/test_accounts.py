from __future__ import annotations

import pytest

from tests.services.site import (
    actions,
    newest,
)
from visavis.domain.people import Permission
from visavis.services.accounts import Accounts
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio


async def test_acts_of_the_command_line(store: SqlStore, accounts: Accounts) -> None:
    await accounts.add_agent(1, "b@example.com", permissions=[Permission.VIEW_RECORDINGS])
    await accounts.grant("b@example.com", [Permission.MANAGE_SETTINGS])
    await accounts.grant("b@example.com", [Permission.MANAGE_SETTINGS])  # changes nothing
    await accounts.revoke("b@example.com", [Permission.MANAGE_SETTINGS])
    await accounts.set_password("b@example.com", "another secret")
    await accounts.disable_agent("b@example.com", is_disabled=True)
    await accounts.disable_agent("b@example.com", is_disabled=False)
    await accounts.add_role(1, "Support", [Permission.ACCEPT_CALLS])
    await accounts.grant_role(1, "Support", [Permission.VIEW_AUDIT_LOG])
    await accounts.revoke_role(1, "Support", [Permission.VIEW_AUDIT_LOG])
    await accounts.revoke_role(1, "Support", [Permission.VIEW_AUDIT_LOG])  # changes nothing
    for _ in range(2):  # the second time changes nothing
        await accounts.assign(1, "Support", "b@example.com")
    for _ in range(2):
        await accounts.unassign(1, "Support", "b@example.com")
    for _ in range(2):
        await accounts.disable_site(1, is_disabled=True)
    await accounts.disable_site(1, is_disabled=False)
    assert await actions(store, 13) == [
        "agentCreated",
        "agentPermissionsChanged",
        "agentPermissionsChanged",
        "passwordReset",
        "agentDisabled",
        "agentEnabled",
        "roleCreated",
        "rolePermissionsChanged",
        "rolePermissionsChanged",
        "roleAssigned",
        "roleUnassigned",
        "siteDisabled",
        "siteEnabled",
    ]
    changed = (await newest(store, 13))[-2]
    assert changed.object_name == "agent b@example.com"
    assert changed.changes[0].old_value == "View Recordings"
    assert changed.changes[0].new_value == "Manage Settings, View Recordings"
    site = await accounts.add_site("Second")
    (entry,) = await store.read(lambda rows: rows.audit.list_page(site.id, 9))
    assert (entry.action_type, entry.object_name) == ("siteCreated", "site Second")
