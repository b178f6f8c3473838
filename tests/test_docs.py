"""Names in the documents are names in the code."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.e2e.test_host_pages import POLICY
from visavis import __version__
from visavis.cli.configuration import SETTINGS
from visavis.domain.call import TRANSITIONS, CallState, EndReason, states
from visavis.domain.call_events import CallEventName
from visavis.domain.recording import DELIVERY_TRANSITIONS, NONEXISTENT
from visavis.protocol import signaling
from visavis.protocol.calls import ENDINGS, AudioVideoChat, AudioVideoChatJoin
from visavis.web.api.calls import FILTERS

ROOT = Path(__file__).resolve().parents[1]
API = (ROOT / "docs" / "api.md").read_text()
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()


def message_types(union: object) -> set[str]:
    return {message.__struct_config__.tag for message in get_args(union)}


EVERY_TYPE = set().union(
    *map(
        message_types,
        (signaling.FromVisitor, signaling.FromAgent, signaling.ToVisitor, signaling.ToAgent),
    )
)


def diagram(transitions: Mapping[Any, str], first: str, ends: Iterable[str]) -> str:
    """Return a state table as a Mermaid diagram, one arrow per pair of states."""
    triggers = defaultdict(list)
    for (state, trigger), target in transitions.items():
        triggers[state, target].append(trigger)
    lines = [f"  {a} --> {b}: {', '.join(names)}" for (a, b), names in triggers.items()]
    end_lines = [f"  {end} --> [*]" for end in ends]
    return "\n".join(["stateDiagram-v2", f"  [*] --> {first}", *lines, *end_lines])


DIAGRAMS = {
    "states": diagram(
        {key: target for key, (target, _) in TRANSITIONS.items()}, "requested", ["ended"]
    ),
    "bridge states": diagram(states.BRIDGE_TRANSITIONS, "requested", ["closed"]),
    "recording switch": diagram(states.RECORDING_TRANSITIONS, "off", []),
    "transfer states": diagram(states.TRANSFER_TRANSITIONS, "ringing", ["completed", "failed"]),
}


def test_protocol_names_every_message_and_no_other() -> None:
    section = PROTOCOL.partition("## Messages")[2].partition("A message that")[0]
    assert set(re.findall(r"`(\w+)`", section)) == EVERY_TYPE


@pytest.mark.parametrize("name", DIAGRAMS)
def test_protocol_s_diagrams_are_drawn_from_the_tables(name: str) -> None:
    part = PROTOCOL.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
    drawn = re.search(r"```mermaid\n(.*?)\n```", part, re.DOTALL)
    assert drawn
    assert drawn[1] == DIAGRAMS[name]


def test_the_diagram_of_a_recording_is_drawn_from_its_table() -> None:
    section = PROTOCOL.partition("<!-- recording states -->")[2]
    causes = defaultdict(list)
    for (state, trigger), target in DELIVERY_TRANSITIONS.items():
        causes[state, target].append(trigger)
    lines = [f"  {a} --> {b}: {', '.join(names)}" for (a, b), names in causes.items()]
    ends = [f"  {state} --> [*]" for state in NONEXISTENT]
    drawn = "\n".join(["stateDiagram-v2", "  [*] --> waiting", *lines, *ends])
    assert section.partition("<!-- /recording states -->")[0] == f"\n```mermaid\n{drawn}\n```\n"


def test_the_api_s_page_names_every_filter_reason_and_happening() -> None:
    calls = API.partition("## Calls")[2].partition("## Our own")[0]
    names = set(re.findall(r"`(\w+)`", calls))
    assert {str(state) for state in CallState} <= names
    assert {str(reason) for reason in ENDINGS} <= names
    assert {str(happening) for happening in CallEventName} <= names
    fields = AudioVideoChat.__struct_encode_fields__ + AudioVideoChatJoin.__struct_encode_fields__
    assert set(FILTERS) <= names
    assert all(field in calls for field in fields)


def test_the_pages_have_a_sentence_for_every_reason() -> None:
    source = (ROOT / "web/src/shared/i18n/en.ts").read_text()
    assert set(re.findall(r'"ended\.(\w+)"', source)) == {str(reason) for reason in EndReason}


@pytest.mark.parametrize("command", ["make run", "make test"])
def test_readme_shows_the_two_commands(command: str) -> None:
    assert command in (ROOT / "README.md").read_text()


OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def table(name: str) -> list[list[str]]:
    """Return the cells of a marked table in the operators' document, without its head."""
    part = OPERATIONS.partition(f"<!-- {name} -->")[2].partition(f"<!-- /{name} -->")[0]
    rows = [line.strip("| ").split(" | ") for line in part.strip().splitlines()]
    return [[cell.strip("` ") for cell in row] for row in rows[2:]]


def test_operators_read_of_every_setting_as_it_is() -> None:
    told = [(row[0], row[1], row[2], row[-1].rstrip(" |")) for row in table("settings")]
    assert told == [(s.option, s.variable, s.name, s.description) for s in SETTINGS]


def test_operators_read_of_every_gauge() -> None:
    sources = ("app.py", "gauges.py", "media_node.py")
    source = "".join((ROOT / "src/visavis" / name).read_text() for name in sources)
    assert {row[0].split("`")[0] for row in table("metrics")} == set(
        re.findall(r'"(visavis_\w+)": Gauge', source)
    )


def test_the_changelog_begins_with_what_is_unreleased_and_has_this_version() -> None:
    versions = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert versions[1] == __version__


def test_the_policy_for_host_pages_is_the_one_a_whole_call_passes() -> None:
    documented = POLICY.replace("HOST ws:", "https://chat.example wss://chat.example")
    assert f"\n{documented}\n" in (ROOT / "docs" / "widget.md").read_text()
