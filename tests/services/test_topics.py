"""Topics of the bus."""

from __future__ import annotations

from visavis.services.topics import (
    CONFIG_TOPIC,
    CONSOLES_TOPIC,
    SOCKET_TOPIC,
    is_within_node,
    node_of,
)


def test_the_topic_of_a_socket_names_its_node() -> None:
    assert node_of(f"{SOCKET_TOPIC}node-1-abc") == "node-1"
    assert node_of(f"{SOCKET_TOPIC}abc") == ""
    assert node_of(f"{CONFIG_TOPIC}node-1") == ""


def test_only_availability_stays_on_its_node() -> None:
    assert is_within_node(f"{CONFIG_TOPIC}1")
    assert not is_within_node(f"{CONSOLES_TOPIC}1")
    assert not is_within_node(f"{SOCKET_TOPIC}config.1")
