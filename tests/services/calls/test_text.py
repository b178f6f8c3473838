"""Cleaning of names and texts: what must go, and what must stay."""

from __future__ import annotations

import pytest

from tests.services.calls.simulated_site import SimulatedSite, agent_session
from visavis.domain.text import clean_line, clean_text
from visavis.protocol import signaling
from visavis.services.accounts import read_name

NAMES = (
    "Jean\u00a0Dupont",  # no-break space
    "\u0639\u0644\u06cc\u200c\u0631\u0636\u0627",  # zero-width non-joiner
    "श्री\u200dमान",  # zero-width joiner
    "👩\u200d👩\u200d👧\u200d👦 family ❤\ufe0f",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # tag characters
    "山田\u3000太郎",  # ideographic space
    "\u2067\u05e9\u05dc\u05d5\u05dd\u2069 world",  # directional isolates
    "soft\u00adhyphen",
    "new emoji \U0001fae9 of a later Unicode",
    "\ue000 private use",
)


@pytest.mark.parametrize("name", NAMES)
def test_names_and_texts_keep_what_belongs_to_a_script(name: str) -> None:
    assert clean_line(name) == name
    assert clean_text(f"{name}\n{name}") == f"{name}\n{name}"
    assert read_name(name) == name


@pytest.mark.parametrize("code", [*range(9), *range(0x0E, 0x1C), 0x1F, 0x7F, 0x80, 0x9F, 0xD800])
def test_control_characters_and_lone_surrogates_are_removed(code: int) -> None:
    assert clean_line(f"An{chr(code)}n") == clean_text(f"An{chr(code)}n") == "Ann"


def test_a_line_has_no_line_breaks_and_a_text_keeps_them() -> None:
    assert clean_line(" Ann\r\nof\u2028Green\tGables\n") == "Ann of Green Gables"
    assert clean_text("\n one\r\n\ttwo\x0c\n") == "one\n\ttwo"


def test_an_indented_paragraph_keeps_its_ideographic_space() -> None:
    assert clean_text("\u3000吾輩は猫である\n") == "\u3000吾輩は猫である"


@pytest.mark.parametrize("text", ["", " \n\t", "\u200b", "\u00a0\u3000", "\u2060\u200e", "\0"])
def test_what_shows_nothing_is_empty(text: str) -> None:
    assert clean_line(text) == clean_text(text) == ""


@pytest.mark.anyio
@pytest.mark.parametrize("name", NAMES[:6])
async def test_they_arrive_as_they_were_written(site: SimulatedSite, name: str) -> None:
    site.calls.agent_arrived(agent_session("a"))
    site.calls.agent_arrived(agent_session("b", 2))
    await site.visitor(signaling.Here(name, name))
    await site.pass_time(2)
    visitors = [m for m in site.told["consoles.1"] if m["type"] == "visitors"]
    (seen,) = visitors[-1]["visitors"]
    assert (seen["page"], seen["name"]) == (name, name)

    call_id = await site.ring("w")
    await site.agent(signaling.Accept(call_id))
    await site.answer(call_id)
    await site.up(call_id)
    await site.visitor(signaling.Say(call_id, name), "w")
    assert site.last("a", "said")["text"] == name
    await site.agent(signaling.Transfer(call_id, 2, name))
    assert site.last("b", "ring")["note"] == name

    missed = await site.ring("x")
    await site.visitor(signaling.HangUp(missed), "x")
    await site.visitor(signaling.LeaveMessage(missed, name, name), "x")
    call = await site.past(missed)
    assert (call.message, call.visitor_name) == (name, name)
