"""Sites rarely change their owner, and terms only rise, in any network partition."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visavis.domain.membership import Member, MemberLoad, MemberState
from visavis.domain.ownership import NOBODY, MemberView, SiteOwner, candidates

MEMBER = Member("", "boot", datetime(2026, 1, 1, tzinfo=UTC), "1", "machine", "", ("app",))
NODES = ("a", "b", "c", "d", "e")
SITE = 7


def view(node_id: str, alive: str, heard: str) -> MemberView:
    return MemberView(node_id, frozenset(alive), frozenset(heard))


def owner(node_id: str) -> SiteOwner:
    return SiteOwner(SITE, node_id, "boot", 3)


@pytest.mark.parametrize(
    ("alive", "heard", "is_cut_off"),
    [
        ("a", "a", False),
        ("ab", "ab", False),
        ("ab", "a", False),  # of two halves, the one with the lowest id
        ("abc", "a", True),
        ("abc", "ab", False),
        ("abcd", "ab", False),
        ("abcd", "ad", False),
        ("abc", "", True),  # it does not hear itself
        ("abc", "abxyz", False),  # others without a beat do not count
        ("abcde", "axyz", True),
    ],
)
def test_the_smaller_side_of_a_cut_takes_nothing(alive: str, heard: str, is_cut_off: bool) -> None:
    mine = view("a", alive, heard)
    assert mine.is_cut_off == is_cut_off
    assert mine.may_take(None) == (not is_cut_off)


def test_the_half_without_the_lowest_id_is_cut_off() -> None:
    assert view("b", "ab", "b").is_cut_off
    assert view("c", "abcd", "cd").is_cut_off


def test_an_owner_that_is_heard_keeps_its_site() -> None:
    assert not view("a", "abc", "abc").may_take(owner("b"))
    assert not view("a", "ac", "abc").may_take(owner("b"))  # only the database does not hear it
    assert view("a", "abc", "ac").may_take(owner("b"))
    assert view("a", "ac", "ac").may_take(owner("b"))


def test_two_nodes_of_which_one_is_killed() -> None:
    assert view("b", "b", "b").may_take(owner("a"))
    assert not view("b", "ab", "b").may_take(owner("a"))  # as long as it may be alive


@given(st.integers(1, 2**40), st.sets(st.sampled_from(NODES), min_size=1))
def test_the_order_of_the_others_does_not_depend_on_a_member(site_id: int, ids: set[str]) -> None:
    members = [replace(MEMBER, node_id=node_id) for node_id in ids]
    order = candidates(site_id, members)
    assert sorted(order) == sorted(ids)
    for left in ids:
        rest = [member for member in members if member.node_id != left]
        assert candidates(site_id, rest) == [one for one in order if one != left]


def test_sites_are_spread_by_load_and_never_to_a_member_that_ends() -> None:
    members = [
        replace(MEMBER, node_id="a"),
        replace(MEMBER, node_id="b", load=MemberLoad(calls=63)),
        replace(MEMBER, node_id="c", state=MemberState.DRAINING),
    ]
    chosen = Counter(candidates(site_id, members)[0] for site_id in range(1, 4001))
    assert chosen.keys() == {"a", "b"}
    assert 0.10 < chosen["b"] / 4000 < 0.16  # a seventh of the weight, so an eighth of the sites
    assert candidates(SITE, members[2:]) == []


# A simulation of members, of the messages between them and of the database

BUS_SECONDS = 2.0
STEP = 0.1


@dataclass
class Node:
    """A member with an open page of the site, which asks for the owner all the time."""

    node_id: str
    phase: float
    is_dead: bool = False
    heard_at: dict[str, float] = field(default_factory=dict)
    seen: SiteOwner | None = None
    told: list[int] = field(default_factory=list)
    """Terms of the site that this node has learned, in order."""

    def heard(self, now: float) -> frozenset[str]:
        return frozenset(n for n, at in self.heard_at.items() if now - at < BUS_SECONDS)


@dataclass
class Simulation:
    """Members in a partition: messages reach only their side, but all reach the database."""

    nodes: list[Node]
    now: float = 0.0
    sides: dict[str, int] = field(default_factory=dict)
    beaten_at: dict[str, float] = field(default_factory=dict)
    row: SiteOwner | None = None
    takes: list[SiteOwner] = field(default_factory=list)

    def take(self, node: Node, seen_term: int) -> bool:
        """Compare and set, as the database does."""
        term = self.row.term if self.row else NOBODY
        if term != seen_term:
            return False
        self.row = SiteOwner(SITE, node.node_id, "boot", term + 1)
        self.takes.append(self.row)
        return True

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            for node in self.nodes:
                if not node.is_dead:
                    self._live(node)

    def _live(self, node: Node) -> None:
        self.beaten_at[node.node_id] = self.now
        for other in self.nodes:
            if self.sides.get(node.node_id) == self.sides.get(other.node_id):
                other.heard_at[node.node_id] = self.now
                self._tell(node, other)
        if (self.now + node.phase) % 0.4 < STEP:
            self._ask(node)

    def _tell(self, node: Node, other: Node) -> None:
        """Let an owner announce its term; a replaced owner learns of the new one."""
        mine = node.seen
        is_owner = mine is not None and mine.node_id == node.node_id
        if mine and is_owner and (other.seen is None or other.seen.term < mine.term):
            other.seen = mine
            other.told.append(mine.term)

    def _ask(self, node: Node) -> None:
        heard = node.heard(self.now)
        if node.seen and node.seen.node_id in heard:
            return
        node.seen = self.row  # the row is read before a site is taken
        alive = frozenset(n for n, at in self.beaten_at.items() if self.now - at < 2.5)
        mine = MemberView(node.node_id, alive, heard)
        best = candidates(SITE, [replace(MEMBER, node_id=one) for one in sorted(heard)])
        if best[0] == node.node_id and mine.may_take(self.row):
            self.take(node, self.row.term if self.row else NOBODY)
            node.seen = self.row
        if node.seen:
            node.told.append(node.seen.term)

    def check(self) -> None:
        terms = [one.term for one in self.takes]
        assert terms == list(range(1, len(terms) + 1))
        for node in self.nodes:
            assert node.told == sorted(node.told)


def simulation(count: int, phases: list[float]) -> Simulation:
    nodes = [Node(node_id, phase) for node_id, phase in zip(NODES[:count], phases, strict=False)]
    running = Simulation(nodes)
    running.run(4)
    assert len(running.takes) == 1
    return running


phases = st.lists(st.sampled_from([0, 0.1, 0.2, 0.3]), min_size=5, max_size=5)


@given(st.integers(2, 5), phases, st.lists(st.integers(0, 1), min_size=5, max_size=5))
def test_a_cut_lets_a_site_change_hands_once_at_most(
    count: int, waits: list[float], sides: list[int]
) -> None:
    running = simulation(count, waits)
    running.sides = dict(zip(NODES, sides, strict=True))
    running.run(30)
    running.sides = {}
    running.run(10)
    running.check()
    assert len(running.takes) <= 2


@given(st.integers(2, 5), phases, st.data())
def test_a_dead_owner_is_replaced_once_and_soon(
    count: int, waits: list[float], data: st.DataObject
) -> None:
    running = simulation(count, waits)
    dead = data.draw(st.sampled_from(running.nodes))
    assert running.row
    was_owner = dead.node_id == running.row.node_id
    dead.is_dead = True
    running.run(5)
    running.check()
    assert len(running.takes) == 1 + was_owner
    assert running.row.node_id != dead.node_id


@given(phases, st.lists(st.lists(st.integers(0, 2), min_size=5, max_size=5), max_size=6))
def test_terms_only_rise_through_any_cuts(waits: list[float], cuts: list[list[int]]) -> None:
    running = simulation(5, waits)
    for sides in cuts:
        running.sides = dict(zip(NODES, sides, strict=True))
        running.run(6)
    running.sides = {}
    running.run(6)
    running.check()
    assert len(running.takes) <= 1 + len(cuts)
    assert running.row
    assert {node.seen for node in running.nodes} == {running.row}


def test_of_two_candidates_at_once_one_wins() -> None:
    for first, second in itertools.permutations("ab", 2):
        running = Simulation([Node(first, 0), Node(second, 0)])
        assert [running.take(node, NOBODY) for node in running.nodes] == [True, False]
