"""Topics of the bus: most are a prefix and the id of a socket or the number of a site."""

from __future__ import annotations

from typing import Final

SOCKET_TOPIC: Final = "socket."
"""Messages sent to one page. The socket's id is that of its node, a hyphen and a random part."""

CONFIG_TOPIC: Final = "config."
"""`Availability` of a site, sent whenever it changes by each node to its own pages."""

CHANGES_TOPIC: Final = "changes"
"""`ChangesWritten`, sent by each node to the others."""

NODES_TOPIC: Final = "nodes"
"""`NodeHeartbeat`, sent by each node of a cluster to all."""

OWNER_TOPIC: Final = "owner."
"""Requests to a node, by its id, about the sites that it owns."""

WORKERS_TOPIC: Final = "workers"
"""`WorkerReport`, sent by each media worker of a media node to all apps."""

WORKER_TOPIC: Final = "worker."
"""Control exchanges of apps with a media worker, by its name: that of its node and its number."""

_CONSOLES_TOPIC: Final = "consoles."


def consoles_topic(site_id: int, owner: str) -> str:
    """Return the topic of the messages to every agent console of a site, from its owner.

    A node that was frozen while another one has taken the site publishes on a topic that no console
    follows any more.
    """
    return f"{_CONSOLES_TOPIC}{site_id}.{owner}"


def is_within_node(topic: str) -> bool:
    """Whether the messages of a topic stay on the node that sends them."""
    return topic.startswith(CONFIG_TOPIC)


def node_of(topic: str) -> str:
    """Return the node that has the socket of a topic; empty for the topic of a site."""
    if not topic.startswith(SOCKET_TOPIC):
        return ""
    return topic.removeprefix(SOCKET_TOPIC).rpartition("-")[0]
