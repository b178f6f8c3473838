from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.services.calls.simulated_site import SimulatedSite, create_sites
from visavis.bus.local import LocalBus, LocalResponder
from visavis.services.calls.calls import Calls
from visavis.services.cluster.edge import Edge, _Page
from visavis.services.cluster.owner import OwnerService
from visavis.services.presence import AgentSession
from visavis.services.topics import OWNER_TOPIC
from visavis.store import open_store

AT_EDGE = (
    *("from_visitor", "visitor_left", "welcome", "agent_left", "revoke"),
    *("from_agent", "is_in_call", "renew_relays", "create", "end"),
)


class FixedOwner:
    """One node owns every site; implements `services.ports.SiteOwners` for the node `node_id`."""

    def __init__(self, owner: str, node_id: str) -> None:
        self.owner = owner
        self.forgotten: list[int] = []
        self._node_id = node_id

    async def owner_of(self, _: int) -> str:
        return self.owner

    def owns(self, _: int) -> bool:
        return self.owner == self._node_id

    def forget(self, site_id: int) -> None:
        self.forgotten.append(site_id)


async def _is_site(site_id: int) -> bool:
    return site_id < 3


class CallsAtEdge:
    """The calls of an owner, with the pages at another node."""

    def __init__(self, calls: Calls, bus: LocalBus, new_id: Any) -> None:
        self._calls = calls
        self.edge = Edge(
            calls=calls,
            bus=bus,
            owners=FixedOwner("owner", "edge"),
            node_id="edge",
            new_id=new_id,
            staffing_changed=calls._announce,
            has_site=_is_site,
        )

    def agent_arrived(self, agent_session: AgentSession) -> None:
        """As a console does that has been welcomed."""
        socket_id, site_id = agent_session.socket_id, agent_session.agent.site_id
        page = self.edge._pages.setdefault(socket_id, _Page(socket_id, site_id, "owner"))
        self.edge._sites.setdefault(site_id, {})[socket_id] = page
        self.edge.agent_arrived(agent_session)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.edge if name in AT_EDGE else self._calls, name)

    async def wait_idle(self) -> None:
        await self.edge.wait_idle()
        await self._calls.wait_idle()


class SiteAtEdge(SimulatedSite):
    """A simulated site whose pages are at another node than its owner."""

    def __post_init__(self) -> None:
        self.bus = LocalBus()
        super().__post_init__()

    def _new_calls(self) -> Calls:
        calls, ids = super()._new_calls(), iter(range(10_000))
        self.owner = OwnerService(
            calls=calls,
            bus=self.bus,
            owners=FixedOwner("owner", "owner"),
            node_id="owner",
            new_id=lambda: f"session{next(ids)}",
            elapsed=lambda: self.time,
        )
        topic = f"{OWNER_TOPIC}owner"
        self.bus._responders[topic] = LocalResponder(topic, self.owner.answer)
        return CallsAtEdge(calls, self.bus, lambda: f"boot{next(ids)}")  # type: ignore[return-value]


AT_ONCE = frozenset(
    {
        "test_only_who_is_in_the_call_may_resume_it",
        "test_whose_page_does_not_come_back_has_left",
        "test_a_link_is_lost_and_then_the_agent_s_page",
        "test_a_visitor_who_hangs_up_at_once_leaves_no_link",
        "test_what_a_visitor_says_of_themselves_is_made_printable",
        "test_a_call_that_ends_before_its_link_is_begun",
        "test_only_changes_are_sent",
        "test_a_console_that_opens_later_is_sent_everything",
        "test_an_agent_who_comes_late_hears_it_ring",
        "test_a_site_rings_as_many_calls_as_it_has_free_agents",
        "test_an_agent_in_a_call_hears_no_other_ring",
        "test_a_visitor_s_lost_page_rings_no_more_and_keeps_its_place",
        "test_an_agent_who_has_no_call_leaves",
        "test_they_are_told_again_while_the_call_lasts",
        "test_nobody_comes_for_the_visitor",
        "test_a_command_in_progress_is_carried_out_again",
        "test_a_ringing_call_rings_on_when_its_agents_are_back",
        "test_the_queue_keeps_its_order",
        "test_who_has_declined_is_not_rung_again",
        "test_a_transfer_rings_on",
        "test_an_agent_without_a_call_is_only_off_duty",
        "test_a_console_that_opens_hears_everything",
        "test_visitors_come_move_call_and_go",
        "test_a_crowd_is_told_in_part_and_once_a_second",
        "test_a_busy_agent_is_busy",
        "test_without_consoles_nothing_is_told",
        "test_it_stays_whose_it_was",
        "test_many_pages_of_one_network_do_not_hide_the_others",
    }
)
"""Tests that look at a page in the moment in which another has come or left.

At another node that takes a turn of the event loop. Two of them use text that no JSON carries.
"""

OWNER_ONLY = frozenset({"test_ownership"})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let every test run with its pages at the owner's node, and most of them at another node.

    Coverage is measured at the owner's node only: the same lines run again at the other one.
    """
    if "site" in metafunc.fixturenames:
        # the tests of ownership start a second process, which knows the pages of no other node
        at_owner_only = (
            metafunc.function.__name__ in AT_ONCE
            or Path(metafunc.module.__file__).stem in OWNER_ONLY
        )
        at_edge = pytest.param("edge", marks=pytest.mark.no_cover)
        places = ["owner"] if at_owner_only else ["owner", at_edge]
        metafunc.parametrize("site", places, indirect=True)


@pytest.fixture
async def site(
    request: pytest.FixtureRequest, new_database: Path, anyio_backend: str
) -> AsyncIterator[SimulatedSite]:
    store = open_store(str(new_database))
    await store.write(create_sites)
    opened = (SimulatedSite if request.param == "owner" else SiteAtEdge)(store)
    yield opened
    await opened.calls.shut_down()
    store.close()
