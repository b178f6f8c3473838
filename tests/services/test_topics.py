"""Topics of the bus."""

from __future__ import annotations

from visavis.services.topics import (
    CONFIG_TOPIC,
    SOCKET_TOPIC,
    consoles_topic,
    is_within_node,
    node_of,
)


def test_the_topic_of_a_socket_names_its_node() -> None:
    assert node_of(f"{SOCKET_TOPIC}node-1-abc") == "node-1"
    assert node_of(f"{SOCKET_TOPIC}abc") == ""
    assert node_of(f"{CONFIG_TOPIC}node-1") == ""


def test_only_availability_stays_on_its_node() -> None:
    assert is_within_node(f"{CONFIG_TOPIC}1")
    assert not is_within_node(consoles_topic(1, "node"))
    assert not is_within_node(f"{SOCKET_TOPIC}config.1")


def test_consoles_do_not_follow_a_former_owner() -> None:
    assert consoles_topic(1, "one") != consoles_topic(1, "other")
    assert node_of(consoles_topic(1, "node-1")) == ""
