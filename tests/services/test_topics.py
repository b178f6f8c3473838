from __future__ import annotations

from visavis.services.topics import config_topic, consoles_topic, socket_topic


def test_no_two_topics_are_the_same() -> None:
    named = [topic(number) for topic in (config_topic, consoles_topic) for number in (1, 2, 11)]
    named += [socket_topic(str(number)) for number in (1, 2, 11)]
    assert len(set(named)) == len(named)
