"""Our own ICE checks: requests, their times, and answers that prove a browser's address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.media.browser import Browser, answer
from tests.media.test_leg import new_leg, up
from tests.media.test_stun import NOMINATE, request
from visavis.media.connectivity_checks import FIRST_WAIT_SECONDS, MAX_SENT, ConnectivityChecks
from visavis.media.leg import MAX_REMOTE_ADDRESSES, Leg
from visavis.media.stun import binding_success, parse_binding_request, parse_binding_success

ROUTE = ("198.51.100.1", 6000)
OTHER = ("198.51.100.2", 6000)
REMOTE = Browser().remote


def asked(checks: ConnectivityChecks, now: float = 0.0) -> bytes:
    ((sent, remote_address),) = checks.due(REMOTE, "ours", now)
    assert remote_address == ROUTE
    return sent


def begun() -> tuple[ConnectivityChecks, bytes]:
    checks = ConnectivityChecks()
    checks.begin(ROUTE)
    return checks, asked(checks)


def test_a_check_bears_the_browser_s_credentials() -> None:
    _, sent = begun()
    parsed = parse_binding_request(sent)
    assert parsed
    assert parsed.ufrag == REMOTE.ufrag
    assert parsed.is_authentic(REMOTE.pwd)
    assert not parsed.uses_candidate  # Only the browser nominates.
    assert b"theirs:ours" in sent


def test_the_answer_proves_the_route_once() -> None:
    checks, sent = begun()
    answered = answer(sent)
    assert answered
    assert checks.receive_answer(answered, ROUTE)
    assert checks.is_reachable(ROUTE)
    assert not checks.receive_answer(answered, ROUTE)
    checks.forget(ROUTE)
    assert not checks.is_reachable(ROUTE)


@pytest.mark.parametrize(
    "broken",
    [
        lambda r: answer(r, "another password of 24 ch"),
        lambda r: binding_success(b"t" * 12, ROUTE, REMOTE.pwd),
        lambda r: r,
        lambda r: b"\x01\x01",
        lambda r: (answer(r) or b"")[:-1],
    ],
)
def test_nothing_else_proves_it(broken: Callable[[bytes], bytes]) -> None:
    checks, sent = begun()
    assert not checks.receive_answer(broken(sent), ROUTE)
    assert not checks.is_reachable(ROUTE)


def test_an_answer_from_elsewhere_or_to_nothing_proves_nothing() -> None:
    checks, sent = begun()
    answered = answer(sent)
    assert answered
    assert not checks.receive_answer(answered, OTHER)
    checks.begin(OTHER)
    assert not checks.receive_answer(answered, OTHER)  # The check has not been sent yet.


def test_it_is_repeated_ever_more_seldom_and_then_given_up() -> None:
    checks, _ = begun()
    sent_at = [now / 100 for now in range(1, 3000) if list(checks.due(REMOTE, "ours", now / 100))]
    assert len(sent_at) == MAX_SENT - 1
    gaps = [later - earlier for earlier, later in zip([0.0, *sent_at], sent_at, strict=False)]
    assert gaps == pytest.approx([FIRST_WAIT_SECONDS * 2**n for n in range(MAX_SENT - 1)], abs=0.02)
    checks.begin(ROUTE)
    assert asked(checks, 30.0)


def test_other_credentials_of_the_browser_begin_it_again() -> None:
    checks, sent = begun()
    checks.restart()
    again = replace(REMOTE, ufrag="again", pwd="y" * 24)
    ((second, _),) = checks.due(again, "ours", 0.01)
    old, new = answer(sent), answer(second, again.pwd)
    assert old
    assert new
    assert not checks.receive_answer(old, ROUTE)
    assert checks.receive_answer(new, ROUTE)


def test_a_check_waits_for_the_browser_s_description() -> None:
    leg, browser = new_leg(), Browser()
    browser.check(leg, 0.0, ROUTE)
    assert leg.remote_address is None
    leg.outbox.clear()
    leg.set_remote(browser.remote)
    assert [remote_address for _, remote_address in leg.outbox] == [ROUTE]
    browser.answer_checks(leg, 0.0)
    assert leg.remote_address == ROUTE


def test_the_last_nominated_of_several_is_used() -> None:
    leg, _ = up()
    checks = {}
    for remote_address in (ROUTE, OTHER):
        leg.outbox.clear()
        asked_by = parse_binding_request(nominating(leg))
        assert asked_by
        assert leg.receive_check(asked_by, remote_address, 1.0)
        checks[remote_address] = next(
            a for d, to in leg.outbox if to == remote_address and (a := answer(d))
        )
    leg.receive_check_answer(checks[ROUTE], ROUTE)
    assert leg.remote_address not in checks
    leg.receive_check_answer(checks[OTHER], OTHER)
    assert leg.remote_address == OTHER


def nominating(leg: Leg) -> bytes:
    return request(leg.pwd, ufrag=leg.ufrag, extra=NOMINATE)


def test_forged_addresses_do_not_pile_up() -> None:
    leg, _ = up()
    for port in range(1, 200):
        parsed = parse_binding_request(nominating(leg))
        assert parsed
        leg.receive_check(parsed, ("203.0.113.1", port), 1.0)
    assert len(leg._checks._pending) <= MAX_REMOTE_ADDRESSES


def test_what_is_not_a_success_response_is_none() -> None:
    assert parse_binding_success(b"") is None
    assert parse_binding_success(begun()[1]) is None
