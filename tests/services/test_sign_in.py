"""Guessing passwords, in parallel and from many addresses, while the owner signs in."""

from __future__ import annotations

import asyncio

import pytest

from tests.services.site import Plain, clock, refused
from visavis.clock_and_ids import new_id, now
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.services import sign_in
from visavis.services.people import People
from visavis.services.sign_in import MAX_CHECKS, SignInGuard, device_token, is_device_token
from visavis.store.sql import SqlStore

pytestmark = pytest.mark.anyio

EMAIL = "a@example.com"
RIGHT = "a right good password"


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Slow:
    """Counts the passwords that are checked, and lets other tasks run meanwhile."""

    checked = 0

    async def hash(self, password: str) -> str:
        return password

    async def matches(self, password_hash: str | None, password: str) -> bool:
        self.checked += 1
        await asyncio.sleep(0)
        return password_hash == password


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def passwords() -> Slow:
    return Slow()


@pytest.fixture
async def people(store: SqlStore, passwords: Slow, time: Time) -> People:
    found = People(store, passwords, now, lambda: "secret", new_id, time)
    await found.create_first_site(email=EMAIL, password=RIGHT)
    return found


async def outcome(people: People, password: str, address: str, device: str = "") -> str:
    try:
        await people.sign_in(EMAIL, password, address, device)
    except VisavisError as error:
        return error.kind.name
    return "in"


async def test_guesses_in_parallel_are_counted_before_they_are_checked(
    people: People, passwords: Slow
) -> None:
    guesses = (outcome(people, f"guess {n}", "198.51.100.1") for n in range(150))
    outcomes = await asyncio.gather(*guesses)
    assert passwords.checked <= sign_in.ACCOUNT_AND_ADDRESS.free
    assert outcomes.count("TooManyRequests") >= 140
    assert await outcome(people, RIGHT, "203.0.113.9") == "in"


async def test_the_first_sign_in_is_pending_until_somebody_has_signed_in(
    people: People, store: SqlStore
) -> None:
    agent = await people.by_email(EMAIL)
    assert await people.first_sign_in_pending() == EMAIL
    assert await outcome(people, "wrong", "198.51.100.1") == "Unauthorized"
    assert await people.first_sign_in_pending() == EMAIL
    for _ in range(2):
        assert await outcome(people, RIGHT, "198.51.100.1") == "in"
        assert await people.first_sign_in_pending() is None
        assert await store.read(lambda rows: rows.agents.has_signed_in(1, agent.id))


async def test_no_password_is_missed_where_no_administrator_can_sign_in(
    people: People, store: SqlStore
) -> None:
    agent = await people.by_email(EMAIL)
    await store.write(lambda rows: rows.agents.disable(1, agent.id, is_disabled=True))
    assert await people.first_sign_in_pending() is None


async def test_the_delay_grows_and_ends(people: People, time: Time) -> None:
    for _ in range(10):
        await outcome(people, "wrong", "198.51.100.1")
    for seconds in (2, 4, 8):
        assert await outcome(people, RIGHT, "198.51.100.1") == "TooManyRequests"
        time.now += seconds
        assert await outcome(people, "wrong", "198.51.100.1") == "Unauthorized"
    time.now += 16
    assert await outcome(people, RIGHT, "198.51.100.1") == "in"
    assert await outcome(people, "wrong", "198.51.100.1") == "Unauthorized"


async def test_strangers_do_not_lock_the_owner_out(people: People, time: Time) -> None:
    device = await people.device_token(await people.sign_in(EMAIL, RIGHT, "203.0.113.9"))
    for n in range(sign_in.ACCOUNT.free):
        assert await outcome(people, "wrong", f"198.51.100.{n}") == "Unauthorized"
    assert await outcome(people, RIGHT, "192.0.2.1") == "TooManyRequests"
    assert await outcome(people, RIGHT, "203.0.113.10", device) == "in"
    time.now += sign_in.FORGET_SECONDS + 1
    assert await outcome(people, RIGHT, "192.0.2.1") == "in"


async def test_so_many_passwords_are_checked_at_once(time: Time) -> None:
    guard = SignInGuard(time)
    places = [guard.checking(f"198.51.100.{n}") for n in range(MAX_CHECKS)]
    for place in places:
        place.__enter__()
    with pytest.raises(VisavisError), guard.checking("203.0.113.9"):
        pass
    for place in places:
        place.__exit__(None, None, None)
    with guard.checking("203.0.113.9"):
        pass


async def test_a_new_password_signs_everything_else_out(people: People, store: SqlStore) -> None:
    agent = await people.by_email(EMAIL)
    with pytest.raises(VisavisError):
        await people.change_password(agent, "wrong", "another good password", "")
    await people.change_password(agent, RIGHT, "another good password", "")
    assert await outcome(people, RIGHT, "") == "Unauthorized"
    assert await outcome(people, "another good password", "") == "in"


def test_a_device_is_known_until_the_password_changes() -> None:
    token = device_token("hash", "nonce")
    assert is_device_token(token, "hash")
    assert not is_device_token(token, "another hash")
    assert not is_device_token(device_token("", "nonce"), None)
    assert not is_device_token("\ud800", "hash")


async def test_failures_of_too_many_are_forgotten(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "MAX_WATCHED", 1)
    for number in range(3):
        attempt = people.sign_in(f"{number}@example.com", "wrong", f"192.0.2.{number}")
        await refused(ErrorKind.Unauthorized, attempt)
    assert len(people.guard) == 1


async def test_a_delay_in_signing_in_does_not_depend_on_the_wall_clock(store: SqlStore) -> None:
    seconds = 0.0
    people = People(store, Plain(), clock, new_id, new_id, elapsed=lambda: seconds)
    for _ in range(sign_in.ACCOUNT_AND_ADDRESS.free):
        await refused(ErrorKind.Unauthorized, people.sign_in("x@example.com", "wrong", "192.0.2.1"))
    attempt = people.sign_in("x@example.com", "wrong", "192.0.2.1")
    await refused(ErrorKind.TooManyRequests, attempt)
    seconds = 2.0
    attempt = people.sign_in("x@example.com", "wrong", "192.0.2.1")
    await refused(ErrorKind.Unauthorized, attempt)


def attempts(guard: SignInGuard, address: str = "192.0.2.1") -> list[bool]:
    """Return whether each of eleven attempts is let through."""
    results = []
    for _ in range(11):
        try:
            guard.begin(EMAIL, address, is_known_device=True)
        except VisavisError:
            results.append(False)
        else:
            results.append(True)
    return results


def test_guesses_at_several_nodes_are_counted_together(time: Time) -> None:
    one, other = SignInGuard(time), SignInGuard(time)
    for _ in range(6):
        one.begin(EMAIL, "192.0.2.1", is_known_device=True)
    other.elsewhere = one.busiest()
    assert EMAIL not in str(other.elsewhere)
    assert sorted(other.elsewhere.values()) == [6, 6]  # of the account and of the address
    assert attempts(other) == [True] * 4 + [False] * 7
    assert attempts(other, "203.0.113.9")[:10] == [True] * 10


def test_the_delay_after_guesses_at_another_node_passes(time: Time) -> None:
    one, other = SignInGuard(time), SignInGuard(time)
    for _ in range(10):
        one.begin(EMAIL, "192.0.2.1", is_known_device=True)
    for _ in range(2):  # the same count is not another attempt
        other.elsewhere = one.busiest()
        with pytest.raises(VisavisError):
            other.begin(EMAIL, "192.0.2.1", is_known_device=True)
        time.now += 1.5
    other.begin(EMAIL, "192.0.2.1", is_known_device=True)
    with pytest.raises(VisavisError):
        other.begin(EMAIL, "192.0.2.1", is_known_device=True)
    time.now += sign_in.FORGET_SECONDS + 1
    assert one.busiest() == {}
    other.elsewhere = one.busiest()
    other.begin(EMAIL, "192.0.2.1", is_known_device=True)


def test_an_account_is_guarded_across_nodes(time: Time) -> None:
    one, other = SignInGuard(time), SignInGuard(time)
    for number in range(100):
        one.begin(EMAIL, f"192.0.2.{number}", is_known_device=False)
    other.elsewhere = one.busiest()
    with pytest.raises(VisavisError):
        other.begin(EMAIL, "203.0.113.9", is_known_device=False)
    other.begin(EMAIL, "203.0.113.9", is_known_device=True)
