"""A site's own recording server, and the recording policy: on the administrators' page."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests import http_clients
from tests.e2e.call_end import check_recording
from tests.e2e.delivered import digest, last_call, recordings, titles
from tests.interop.test_delivery import running
from tests.interop.test_tus import PEERS
from tests.npm import NODE, installed
from tests.recorder.fake_server import FakeRecordingServer, Handler, ServerFault, answers, resets
from tests.running import Parties, System, eventually

pytestmark = pytest.mark.e2e

FOR_EVER = 10_000


def never_answers(handler: Handler) -> None:
    handler.rfile.read(1)  # until the client has had enough


MISDEEDS: tuple[tuple[ServerFault, str], ...] = (
    (answers(200), "200 OK. A tus 1.0 server does not answer this: check the URL."),
    (answers(404), "404 Not Found. A tus 1.0 server does not answer this: check the URL."),
    (answers(301, Location="http://www.google.com/"), "Redirects are not followed"),
    (resets, "closed the connection, or does not speak HTTP"),
)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    directory = tmp_path_factory.mktemp("delivering") / "data"
    running_system = System(directory, "--allow-private-recording-servers").start()
    running_system.configure(on=True, recording=True)
    yield running_system
    running_system.stop()


@pytest.fixture
def server() -> Iterator[FakeRecordingServer]:
    running_server = FakeRecordingServer()
    yield running_server
    running_server.close()


@pytest.fixture
def admin(system: System, parties: Parties) -> Page:
    parties.arrive()
    page = parties.another_agent()
    parties.sign_in(page, "admin@localhost", system.password)
    page.goto(f"{system.url}/admin")
    expect(page.get_by_label("Recording server")).to_be_visible()
    return page


def try_out(admin: Page) -> Locator:
    admin.get_by_role("button", name="Test the recording server").click()
    return admin.locator("#verdict")


def save_address(admin: Page, address: str) -> None:
    admin.get_by_label("Recording server").fill(address)
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_role("status")).to_have_text(re.compile("^Saved"))


def apply(admin: Page, label: str, choice: str) -> None:
    admin.get_by_label(label).select_option(label=choice)
    admin.locator("visavis-policy").get_by_role("button", name="Apply").click()
    expect(admin.get_by_text("Saved. The policy applies from the next call.")).to_be_visible()


def test_a_wrong_address_is_told_and_loses_nothing(
    system: System, parties: Parties, admin: Page, server: FakeRecordingServer, tmp_path: Path
) -> None:
    server.faults = deque([("any", never_answers)] * FOR_EVER)
    save_address(admin, server.url)
    expect(try_out(admin)).to_contain_text("took longer than 15 s")
    parties.connect("Audio call")
    for misdeed, words in MISDEEDS:
        server.faults = deque([("any", misdeed)] * FOR_EVER)
        expect(try_out(admin)).to_contain_text(words)
    parties.hang_up(parties.visitor)
    waiting = eventually(lambda: recordings(system)["lastError"] and recordings(system))
    assert waiting["pending"] == 1
    admin.reload()
    expect(admin.locator("#backlog")).to_contain_text("1 recording (the oldest since")
    expect(admin.locator("#last-error")).to_contain_text("closed the connection")
    expect(admin.locator("#last-success")).to_have_text("Nothing has been delivered yet.")
    assert len(system.undelivered()) == 1

    with running([NODE, str(installed(PEERS) / "server.js"), str(tmp_path / "files")]) as port:
        save_address(admin, f"http://127.0.0.1:{port}/files")
        expect(try_out(admin)).to_contain_text("This recording server accepts recordings.")
        eventually(lambda: not system.undelivered())
        (told,) = eventually(lambda: delivered(system))
    files = [path for path in (tmp_path / "files").iterdir() if path.suffix != ".json"]
    (path,) = [file for file in files if digest(file) == told["sha256"]]
    assert titles(path, told["sha256"], last_call(system)) == ["Visitor audio", "Agent audio"]
    check_recording(parties, last_call(system)["recordingId"], path)
    admin.reload()
    expect(admin.locator("#backlog")).to_have_text("No recordings are waiting for delivery.")
    expect(admin.locator("#last-error")).to_have_text("none")
    expect(admin.locator("#last-success")).not_to_have_text("Nothing has been delivered yet.")


def delivered(system: System) -> list[dict[str, str]]:
    return [one for one in recordings(system)["recordings"] if one["state"] == "delivered"]


def test_the_policy_is_set_on_the_page_and_held_to(
    system: System, parties: Parties, admin: Page
) -> None:
    visitor, agent = parties.visitor, parties.agent
    apply(admin, "Consent", "The visitor has to agree")
    history = admin.get_by_role("region", name="Change history")
    expect(history).to_contain_text("Consent: The visitor is told → The visitor has to agree")

    visitor.get_by_role("button", name="Audio call").click()
    agreement = visitor.get_by_role("checkbox", name="I agree that this call is recorded.")
    expect(agreement).not_to_be_checked()
    visitor.get_by_role("button", name="Call now").click()
    expect(agreement).to_be_focused()  # it is asked for: nothing rings
    expect(agent.get_by_role("button", name="Accept")).to_have_count(0)
    with no_spool(system):
        call(parties)
        expect(visitor.get_by_text("could not be recorded, so it was not started")).to_be_visible()
        assert last_call(system)["consent"] == "agreement"
        assert last_call(system)["reason"] == "recordingUnavailable"

        apply(
            admin, "When a call cannot be recorded", "The call continues unrecorded and is flagged."
        )
        visitor.get_by_role("button", name="Audio call").click()
        call(parties)
        parties.wait_until("connected")
        expect(visitor.get_by_text("Recording since")).to_have_count(0)
    parties.hang_up()
    assert eventually(lambda: last_call(system)["isUnrecorded"])
    eventually(
        lambda: "visavis_calls_unrecorded 1.0" in http_clients.get(f"{system.url}/metrics").text
    )
    assert recordings(system)["missing"] == recordings(system)["pending"] == 0


def call(parties: Parties) -> None:
    """From the check before the call on, with agreement."""
    parties.visitor.get_by_role("checkbox", name="I agree").check()
    parties.visitor.get_by_role("button", name="Call now").click()
    parties.agent.get_by_role("button", name="Accept").click()


@contextmanager
def no_spool(system: System) -> Iterator[None]:
    """As when its disk is away: nothing can be written there."""
    away = system.spool.with_suffix(".away")
    system.spool.mkdir(exist_ok=True)  # the first recording creates it
    system.spool.rename(away)
    system.spool.symlink_to("nowhere")
    try:
        yield
    finally:
        system.spool.unlink()
        away.rename(system.spool)
