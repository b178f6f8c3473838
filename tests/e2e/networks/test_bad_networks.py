"""One call over bad networks between the visitor's browser and the relay; nothing stops it.

`pytest -s` prints the table that `docs/performance.md` has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page as Tab
from playwright.sync_api import expect

from tests.e2e.call_end import check_call_end
from tests.e2e.conftest import COLLEAGUE, PASSWORD
from tests.e2e.flow import AGENT, VISITOR, Flow, Page, Sides, await_flow, flow
from tests.e2e.networks.ways import Router, Way, router_to, take
from tests.running import Parties, System
from visavis.web.api.policy import PATH as POLICY

pytestmark = pytest.mark.e2e

SEED = 4
ANSWERED_SECONDS, MEASURED_SECONDS = 2.0, 3.0
"""So long congestion control has to answer; so long it is measured, for the table."""

RING_SECONDS = 20
"""Of the call that nobody takes: about as long as the other tests last."""

Tell = Callable[[str], None]
"""Adds a line to the table, for what it names."""

EASY: dict[str, dict[str, float]] = {"a good network": {}, "2 % loss": {"loss": 0.02}}
"""Lines of the table alone: the other tests begin on a good network, and one loses more."""

HARD: dict[str, dict[str, float]] = {
    "5 % loss": {"loss": 0.05},
    "50 ms jitter": {"jitter": 0.05},
    "10 % reordered by 30 ms": {"late": 0.1},
    "500 kbit/s": {"bytes_per_second": 500_000 / 8},
}


@pytest.fixture(scope="module")
def router(system: System) -> Iterator[Router]:
    with router_to(system, SEED) as running:
        yield running


@pytest.fixture(scope="module")
def others(parties: Parties) -> Iterator[tuple[Tab, Tab]]:
    """Another visitor and the other agent: here before the call, which computes all the time."""
    bea, visitor = parties.another_agent(), parties.another_visitor()
    parties.sign_in(bea, COLLEAGUE, PASSWORD)
    visitor.goto(f"{parties.system.url}/demo")
    visitor.get_by_role("button", name="Audio call").wait_for()
    yield visitor, bea
    bea.close()


@pytest.fixture(scope="module")
def call(
    parties: Parties, sides: Sides, router: Router, others: tuple[Tab, Tab]
) -> Iterator[Sides]:
    """Goes on from test to test; its recording is compared at the end."""
    parties.since = datetime.now(UTC)
    port = router.ask(router.nat.open())
    take(parties.visitor, Way(r" udp .* 127\.0\.0\.1 ", port))
    take(parties.agent, Way())
    parties.connect()
    yield sides
    parties.hang_up()
    check_call_end(parties)


@pytest.fixture(scope="module", autouse=True)
def forgotten(parties: Parties, call: Sides, others: tuple[Tab, Tab]) -> tuple[Tab, Tab]:
    """The other visitor, who calls meanwhile, and the other agent, who lets it ring."""
    visitor, bea = others
    with ringing_for(RING_SECONDS, parties.system):
        parties.call("Audio call", visitor)
        bea.get_by_role("button", name="Accept").wait_for()
    return others


@contextmanager
def ringing_for(seconds: int, system: System) -> Iterator[None]:
    """Let the calls that are placed meanwhile ring for so long."""
    usual = system.ask(POLICY)["ringSeconds"]
    system.change(POLICY, ringSeconds=seconds)
    yield
    system.change(POLICY, ringSeconds=usual)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "condition" in metafunc.fixturenames:
        conditions = EASY | HARD if is_table_seen(metafunc.config) else HARD
        metafunc.parametrize("condition", conditions)


def test_media_flows_over(condition: str, call: Sides, router: Router, tell: Tell) -> None:
    await_flow(call)
    router.treat(**(EASY | HARD)[condition])
    call[VISITOR].wait_for_timeout(1000 * ANSWERED_SECONDS)
    tell(condition)
    await_flow(call, frames=1, audio=20)
    router.treat()


def test_four_seconds_of_silence_pass(
    parties: Parties, call: Sides, router: Router, tell: Tell
) -> None:
    await_flow(call)
    router.treat(loss=1.0)
    parties.visitor.wait_for_timeout(4_000)
    router.treat()
    tell("after 4 s of silence")
    await_flow(call)
    parties.wait_until("connected")


def test_a_visitor_with_another_address_is_followed(
    parties: Parties, call: Sides, router: Router, tell: Tell
) -> None:
    await_flow(call)
    router.ask(router.nat.move("127.0.0.2"))
    tell("after another address")
    await_flow(call)
    parties.wait_until("connected")


def test_a_call_that_nobody_takes_is_missed(forgotten: tuple[Tab, Tab]) -> None:
    visitor, bea = forgotten
    expect(visitor.get_by_text("Nobody can take your call")).to_be_visible()
    expect(bea.get_by_role("button", name="Accept")).to_have_count(0)
    visitor.get_by_label("Message", exact=True).fill("I rang for a while.")
    visitor.get_by_role("button", name="Send message").click()
    bea.get_by_role("button", name="Missed").click()
    expect(bea.get_by_text("I rang for a while.")).to_be_visible()


QUALITY = "document.querySelector('visavis-widget').visitor.conversation.quality"


@pytest.fixture
def tell(pytestconfig: pytest.Config, call: Sides) -> Tell:
    """Measure the flow for a line of the table, if there is somebody to read it."""
    if is_table_seen(pytestconfig):
        return lambda condition: print_line(condition, flow(call, MEASURED_SECONDS), call[VISITOR])
    return lambda condition: None


def is_table_seen(config: pytest.Config) -> bool:
    return bool(config.getoption("capture") == "no")


def print_line(condition: str, flows: dict[str, Flow], visitor: Page) -> None:
    """A line of the table: what the visitor's page gets, and the agent's; what both are told."""
    of = [flows[VISITOR], flows[AGENT]]
    mos = (visitor.evaluate(QUALITY) or {}).get("mos")
    cells = [
        condition,
        " / ".join(f"{one.frames:.1f}" for one in of),
        " / ".join(f"{one.kilobits:.0f}" for one in of),
        " / ".join(f"{one.audio:.1f}" for one in of),
        " / ".join(f"{one.freezes} ({one.frozen_seconds:.1f} s)" for one in of),
        f"{mos:.1f}" if mos else "",
    ]
    print(f"| {' | '.join(cells)} |")
