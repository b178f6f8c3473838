from __future__ import annotations

from visavis.services.topics import CONFIG_TOPIC, CONSOLES_TOPIC, SOCKET_TOPIC


def test_no_two_topics_are_the_same() -> None:
    topics = CONFIG_TOPIC, CONSOLES_TOPIC, SOCKET_TOPIC
    named = {f"{topic}{number}" for topic in topics for number in (1, 2, 11)}
    assert len(named) == 9
