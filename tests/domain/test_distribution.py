"""Call distribution: the calls that ring, the agents they ring at, and the queue."""

from __future__ import annotations

import random

import pytest

from visavis.domain.distribution import Declined, Distribution, Enqueue, RingAt


def staffed(count: int, ring_limit: int | None = 20) -> Distribution:
    """Return a site with this many free agents, the first of them idle for longest."""
    distribution = Distribution(ring_limit)
    for agent_id in range(1, count + 1):
        distribution.set_agent(agent_id, is_on_duty=True, is_free=True)
    return distribution


def occupy(distribution: Distribution, call_id: str, agent_id: int) -> None:
    """Let the agent accept the call."""
    distribution.remove_call(call_id)
    distribution.set_agent(agent_id, is_on_duty=True, is_free=False)


def test_a_call_rings_at_every_free_agent_up_to_the_limit() -> None:
    distribution = staffed(3, ring_limit=2)
    distribution.add_call("a")
    assert distribution.decide() == [RingAt("a", (1, 2))]
    assert distribution.decide() == []


def test_the_next_call_rings_at_the_agents_at_whom_the_fewest_ring() -> None:
    distribution = staffed(4, ring_limit=2)
    distribution.add_call("a")
    distribution.add_call("b")
    assert distribution.decide() == [RingAt("a", (1, 2)), RingAt("b", (3, 4))]


def test_the_agent_who_has_been_idle_for_longest_is_rung_first() -> None:
    distribution = staffed(2, ring_limit=1)
    distribution.add_call("a")
    distribution.decide()
    occupy(distribution, "a", 1)
    distribution.set_agent(1, is_on_duty=True, is_free=True)
    distribution.add_call("b")
    assert distribution.decide() == [RingAt("b", (2,))]


def test_as_many_calls_ring_as_agents_are_free_and_the_others_are_queued() -> None:
    distribution = staffed(1)
    for call_id in "abc":
        distribution.add_call(call_id)
    assert distribution.decide() == [RingAt("a", (1,)), Enqueue("b", 1), Enqueue("c", 2)]
    assert list(distribution.queue()) == ["b", "c"]
    assert len(distribution) == 3
    occupy(distribution, "a", 1)
    assert distribution.decide() == []
    distribution.set_agent(1, is_on_duty=True, is_free=True)
    assert distribution.decide() == [RingAt("b", (1,))]


def test_a_call_of_a_lower_rank_comes_before_those_that_ring() -> None:
    distribution = staffed(1)
    distribution.add_call("a", rank=1)
    assert distribution.decide() == [RingAt("a", (1,))]
    distribution.add_call("b", rank=0)
    assert distribution.decide() == [RingAt("b", (1,)), Enqueue("a", 1)]
    distribution.add_call("c", rank=2)
    distribution.add_call("d", rank=0)
    assert distribution.decide() == [Enqueue("d", 1), Enqueue("c", 3)]
    assert list(distribution.queue()) == ["d", "a", "c"]


def test_a_ringing_call_is_queued_again_when_its_agent_has_taken_another() -> None:
    distribution = staffed(2)
    for call_id in "abc":
        distribution.add_call(call_id)
    distribution.decide()
    occupy(distribution, "a", 1)
    assert distribution.decide() == [RingAt("b", (2,))]
    distribution.set_agent(2, is_on_duty=False, is_free=False)
    assert distribution.decide() == [Enqueue("b", 1)]
    assert list(distribution.queue()) == ["b", "c"]


def test_an_agent_who_comes_is_rung_too() -> None:
    distribution = staffed(1)
    distribution.add_call("a")
    distribution.decide()
    distribution.set_agent(2, is_on_duty=True, is_free=True)
    assert distribution.decide() == [RingAt("a", (1, 2))]


def test_an_agent_who_was_never_on_duty_is_unknown() -> None:
    distribution = Distribution()
    distribution.set_agent(1, is_on_duty=False, is_free=True)
    assert not distribution.has_agents
    distribution.touch_agent(1)
    assert distribution.decide() == []


def test_another_console_of_an_agent_is_rung() -> None:
    distribution = staffed(1)
    distribution.add_call("a")
    distribution.decide()
    distribution.touch_agent(1)
    assert distribution.decide() == [RingAt("a", (1,))]


def test_a_call_rings_on_for_those_who_have_not_declined() -> None:
    distribution = staffed(3, ring_limit=1)
    distribution.add_call("a")
    distribution.decide()
    distribution.decline("a", 1)
    assert distribution.decide() == [RingAt("a", (2,))]
    distribution.decline("a", 2)
    assert distribution.decide() == [RingAt("a", (3,))]
    distribution.decline("a", 3)
    assert distribution.decide() == [Declined("a")]
    distribution.remove_call("a")
    assert distribution.decide() == []


def test_a_call_that_all_free_agents_have_declined_waits_for_the_others() -> None:
    distribution = staffed(2)
    for call_id in "ab":
        distribution.add_call(call_id)
    distribution.decide()
    occupy(distribution, "a", 1)
    distribution.decide()
    distribution.decline("b", 2)
    distribution.add_call("c")
    assert distribution.decide() == [Enqueue("b", 1), RingAt("c", (2,))]
    distribution.set_agent(1, is_on_duty=True, is_free=True)
    assert distribution.decide() == [RingAt("b", (1,)), RingAt("c", (2, 1))]


def test_declining_an_unknown_call_changes_nothing() -> None:
    distribution = staffed(1)
    distribution.decline("a", 1)
    distribution.widen("a")
    distribution.remove_call("a")
    distribution.set_present("a", is_present=False)
    assert distribution.decide() == []
    assert not distribution.can_widen("a")


def test_a_declining_agent_need_not_be_rung() -> None:
    distribution = staffed(2, ring_limit=1)
    distribution.add_call("a")
    distribution.decide()
    distribution.decline("a", 2)
    assert distribution.decide() == []


def test_a_call_whose_visitor_is_gone_keeps_its_place_and_does_not_ring() -> None:
    distribution = staffed(1)
    for call_id in "abc":
        distribution.add_call(call_id)
    distribution.decide()
    distribution.set_present("a", is_present=False)
    distribution.set_present("a", is_present=False)
    assert distribution.decide() == [RingAt("b", (1,))]
    distribution.set_present("a", is_present=True)
    assert distribution.decide() == [RingAt("a", (1,)), Enqueue("b", 1)]
    distribution.set_present("b", is_present=False)
    distribution.set_present("b", is_present=True)
    assert distribution.decide() == []
    assert list(distribution.queue()) == ["b", "c"]


def test_the_limit_widens_while_a_call_rings() -> None:
    distribution = staffed(5, ring_limit=2)
    distribution.add_call("a")
    distribution.decide()
    assert distribution.can_widen("a")
    distribution.widen("a")
    assert distribution.decide() == [RingAt("a", (1, 2, 3, 4))]
    distribution.widen("a")
    assert distribution.decide() == [RingAt("a", (1, 2, 3, 4, 5))]
    assert not distribution.can_widen("a")


def test_without_a_limit_every_agent_is_rung() -> None:
    distribution = staffed(50, ring_limit=None)
    distribution.add_call("a")
    assert distribution.decide() == [RingAt("a", tuple(range(1, 51)))]
    distribution.widen("a")
    assert distribution.decide() == []


class RandomSite:
    """A site with random changes, and the decisions that its calls and agents have received."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.distribution = Distribution(ring_limit=self.chance.choice([1, 2, 5, None]))
        self.free: set[int] = set()
        self.waiting: list[str] = []
        self.ringing: dict[str, tuple[int, ...]] = {}
        self.declined: dict[str, set[int]] = {}

    def change(self, number: int) -> None:
        kind = self.chance.randrange(6)
        if kind < 2:
            self.waiting.append(f"c{number}")
            self.distribution.add_call(f"c{number}")
        elif kind == 2 and self.waiting:
            self.remove(self.chance.choice(self.waiting))
        elif kind == 3 and self.ringing:
            call_id = self.chance.choice(sorted(self.ringing))
            agent_id = self.chance.choice(self.ringing[call_id])
            self.declined.setdefault(call_id, set()).add(agent_id)
            self.distribution.decline(call_id, agent_id)
        else:
            self.change_agent(self.chance.randrange(8))

    def change_agent(self, agent_id: int) -> None:
        is_on_duty, is_free = self.chance.random() < 0.8, self.chance.random() < 0.6
        self.distribution.set_agent(agent_id, is_on_duty=is_on_duty, is_free=is_free)
        self.free.discard(agent_id)
        if is_on_duty and is_free:
            self.free.add(agent_id)

    def remove(self, call_id: str) -> None:
        self.waiting.remove(call_id)
        self.ringing.pop(call_id, None)
        self.distribution.remove_call(call_id)

    def decide(self) -> None:
        """Apply the decisions, and those that follow from them."""
        while decisions := self.distribution.decide():
            for decision in decisions:
                match decision:
                    case RingAt(call_id, agents):
                        self.ringing[call_id] = agents
                    case Enqueue(call_id):
                        self.ringing.pop(call_id, None)
                    case Declined(call_id):
                        self.remove(call_id)


@pytest.mark.parametrize("seed", range(40))
def test_every_history_keeps_the_rules(seed: int) -> None:
    """The first calls that can ring do ring, at free agents who have not declined them."""
    site = RandomSite(seed)
    for number in range(200):
        site.change(number)
        site.decide()
        for call_id, agents in site.ringing.items():
            assert agents
            assert set(agents) <= site.free - site.declined.get(call_id, set())
        can_ring = [c for c in site.waiting if site.free - site.declined.get(c, set())]
        assert set(site.ringing) == set(can_ring[: len(site.free)])


def test_a_higher_ring_limit_lets_ringing_calls_ring_at_more_agents() -> None:
    distribution = staffed(5, ring_limit=2)
    distribution.add_call("a")
    distribution.decide()
    assert distribution.set_ring_limit(3)
    assert distribution.decide() == [RingAt("a", (1, 2, 3))]
    assert distribution.set_ring_limit(None)
    assert distribution.decide() == [RingAt("a", (1, 2, 3, 4, 5))]
    assert not distribution.can_widen("a")


def test_a_lower_ring_limit_stops_ringing_at_the_agents_who_were_rung_last() -> None:
    distribution = staffed(5, ring_limit=None)
    distribution.add_call("a")
    distribution.decide()
    assert distribution.set_ring_limit(2)
    assert distribution.decide() == [RingAt("a", (1, 2))]
    assert distribution.decide() == []
    assert distribution.can_widen("a")
    distribution.add_call("b")
    assert distribution.decide() == [RingAt("b", (3, 4))]


def test_a_call_that_has_widened_keeps_its_multiple_of_a_new_ring_limit() -> None:
    distribution = staffed(9, ring_limit=2)
    distribution.add_call("a")
    distribution.decide()
    distribution.widen("a")
    assert distribution.decide() == [RingAt("a", (1, 2, 3, 4))]
    distribution.set_ring_limit(3)
    assert distribution.decide() == [RingAt("a", (1, 2, 3, 4, 5, 6))]


def test_a_queued_call_uses_the_new_ring_limit_once_it_rings() -> None:
    distribution = Distribution(1)
    distribution.add_call("a")
    assert distribution.decide() == [Enqueue("a", 1)]
    assert distribution.set_ring_limit(2)
    assert distribution.decide() == []
    for agent_id in (1, 2, 3):
        distribution.set_agent(agent_id, is_on_duty=True, is_free=True)
    assert distribution.decide() == [RingAt("a", (1, 2))]


def test_the_same_ring_limit_changes_nothing() -> None:
    distribution = staffed(3, ring_limit=2)
    distribution.add_call("a")
    distribution.decide()
    assert not distribution.set_ring_limit(2)
    assert distribution.decide() == []
