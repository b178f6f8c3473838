"""Requests of the pages of a call."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import ANSWER, OFFER, with_screen
from visavis.domain.call import inputs
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.protocol import signaling
from visavis.services.calls.requests import event_of, read_answer, read_offer


def test_a_camera_is_told_from_a_screen() -> None:
    assert read_offer(OFFER).has_camera
    assert not read_answer(ANSWER, "1").has_camera
    assert read_answer(with_screen(ANSWER), "2").has_camera


def test_requests_are_events() -> None:
    assert event_of(1, signaling.HangUp("call")) == inputs.HungUp(1)
    assert event_of(1, signaling.Relink("call", 3)) == inputs.BridgeLost(3)
    line = event_of(2, signaling.Say("call", " hello\0 ", "id"))
    assert line == inputs.LineWritten(2, "hello", "id")
    offer = event_of(1, signaling.Offer("call", 1, OFFER))
    assert isinstance(offer, inputs.OfferReceived)
    answer = event_of(2, signaling.Answer("call", 1, ANSWER))
    assert isinstance(answer, inputs.AnswerReceived)


def test_an_unusable_description_is_refused() -> None:
    with pytest.raises(VisavisError) as caught:
        event_of(1, signaling.Offer("call", 1, "v=1"))
    assert caught.value.kind is ErrorKind.ParameterInvalid
