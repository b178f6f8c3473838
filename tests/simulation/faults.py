"""The failures of the design's table that concern app nodes, the bus and the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from tests.simulation.simulation import Simulation

Fault = Callable[[Simulation], Awaitable[None]]


async def kill_a_process(simulation: Simulation) -> None:
    """Kill an app process; its supervisor starts it again at once."""
    node = simulation.any_node()
    simulation.kill(node)
    await simulation.pass_time(2.0)
    simulation.restart(node)
    await simulation.pass_time(18.0)


async def kill_a_node(simulation: Simulation) -> None:
    """Kill a node, and start it again later."""
    node = simulation.any_node()
    simulation.kill(node)
    await simulation.pass_time(20.0)
    simulation.restart(node)


async def freeze_a_node(simulation: Simulation) -> None:
    """Freeze a node, and let it go on later."""
    node = simulation.any_node()
    simulation.freeze(node)
    await simulation.pass_time(20.0)
    simulation.thaw(node)


async def freeze_briefly(simulation: Simulation) -> None:
    """Freeze a node for about the time after which the others notice it."""
    node = simulation.any_node()
    simulation.freeze(node)
    await simulation.pass_time(simulation.random.uniform(1.0, 6.0))
    simulation.thaw(node)


async def cut_a_node_off(simulation: Simulation) -> None:
    """Cut a node off from the bus, but not from pages and database."""
    simulation.split([simulation.any_node()])
    await simulation.pass_time(20.0)
    simulation.heal()


async def split_the_bus(simulation: Simulation) -> None:
    """Cut the servers of the bus off from each other, with some of the nodes on each side."""
    nodes = simulation.running
    size = simulation.random.randint(1, len(nodes) // 2)
    simulation.split(simulation.random.sample(nodes, size))
    await simulation.pass_time(20.0)
    simulation.heal()


async def kill_a_bus_server(simulation: Simulation) -> None:
    simulation.lose_bus_server()
    await simulation.pass_time(5.0)


async def lose_the_bus(simulation: Simulation) -> None:
    """Let the whole bus be away for a while: no node hears another."""
    for side, node in enumerate(simulation.running, start=1):
        simulation.split([node], side)
    await simulation.pass_time(20.0)
    simulation.heal()


async def fail_over_the_database(simulation: Simulation) -> None:
    simulation.cluster.database.fail_over(7.7)
    await simulation.pass_time(15.0)


async def kill_a_node_in_a_fail_over(simulation: Simulation) -> None:
    """Kill a node while the database is away: two failures at a time."""
    simulation.cluster.database.fail_over(7.7)
    await simulation.pass_time(2.0)
    await kill_a_node(simulation)


async def cut_a_node_off_the_database(simulation: Simulation) -> None:
    node = simulation.any_node()
    node.store.is_cut_off = True
    await simulation.pass_time(20.0)
    node.store.is_cut_off = False


ONE: Final[dict[str, Fault]] = {
    "app process killed": kill_a_process,
    "node killed": kill_a_node,
    "node frozen 20 s": freeze_a_node,
    "node frozen 1 to 10 s": freeze_briefly,
    "node cut off from the bus": cut_a_node_off,
    "bus split": split_the_bus,
    "bus server killed": kill_a_bus_server,
    "whole bus away 20 s": lose_the_bus,
    "database fail-over": fail_over_the_database,
    "node cut off from the database": cut_a_node_off_the_database,
}
"""The single failures, by their names."""
TWO: Final[dict[str, Fault]] = {"node killed in a fail-over": kill_a_node_in_a_fail_over}
