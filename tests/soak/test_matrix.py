from __future__ import annotations

from itertools import product

from tests.soak.matrix import CHROMIUM, EVENTS, FIREFOX, HARD, NETWORKS, PAIRS, matrix


def test_every_network_and_every_event_is_tried_with_both_browsers_on_either_side() -> None:
    rows = {(row.visitor, row.agent, row.network, row.event) for row in matrix()}
    for pair in ((CHROMIUM, CHROMIUM), (FIREFOX, CHROMIUM), (CHROMIUM, FIREFOX)):
        assert {network for *two, network, _ in rows if tuple(two) == pair} == set(NETWORKS)
        assert {event for *two, _, event in rows if tuple(two) == pair} == set(EVENTS)
    assert {event for *_, network, event in rows if network == HARD} == set(EVENTS)
    everything = {(row.visitor, row.agent, row.network, row.event) for row in matrix(is_full=True)}
    assert everything == {(*pair, *rest) for pair, *rest in product(PAIRS, NETWORKS, EVENTS)}
    assert rows < everything
    assert len({row.name for row in matrix(is_full=True)}) == len(everything)


def test_networks_lose_delay_and_reorder_within_the_bounds_of_the_promise() -> None:
    """Loss of 2 to 6 %, 150 to 450 ms each way, reordering, bursts."""
    losses = {network["loss"] for network in NETWORKS.values() if "loss" in network}
    delays = {
        network["delay"]
        for network in NETWORKS.values()
        if network.get("loss") and "delay" in network
    }
    assert (min(losses), max(losses)) == (0.02, 0.06)
    assert (min(delays), max(delays)) == (0.15, 0.45)
    assert any("late" in network for network in NETWORKS.values())
    assert any("burst" in network for network in NETWORKS.values())
