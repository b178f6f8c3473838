"""A call that another live-chat product has made: one address for each party."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests import http_clients
from tests.running import Parties, System, eventually, videos

pytestmark = pytest.mark.e2e


def test_two_addresses_lead_into_one_call(system: System, parties: Parties) -> None:
    answer = http_clients.post(
        f"{system.url}/v4/livechat/audioVideoChats",
        json={"media": "video", "visitorName": "Ada Lovelace"},
        headers={"Authorization": f"Bearer {system.token()}"},
    )
    call = answer.json()
    assert answer.status_code == 201, answer.text
    parties.agent.goto(call["agentUrl"])
    expect(parties.agent.get_by_text("Waiting for the visitor")).to_be_visible()
    parties.visitor.goto(call["visitorUrl"])
    parties.call()
    parties.wait_until("connected")
    eventually(lambda: videos(parties.agent, "visavisConsole"))
    eventually(lambda: videos(parties.visitor, "visavis"))
    expect(parties.agent.locator("visavis-call")).to_contain_text("Ada Lovelace")
    parties.hang_up(parties.visitor)
    parties.visitor.goto(call["visitorUrl"])
    expect(parties.visitor.get_by_text("This call is over")).to_be_visible()
