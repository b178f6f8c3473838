"""`visavis recordings`: what an operator asks and does without a browser."""

from __future__ import annotations

import asyncio
import fcntl
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tests.recorder.conftest import CONTENT, put_muxed
from tests.recorder.journals import put_journal
from tests.store.test_recordings import DELIVERY, add_call, manifest
from visavis.cli import main
from visavis.clock_and_ids import now
from visavis.domain.delivery_status import DeliveryProgress
from visavis.domain.membership import Member
from visavis.domain.recording import MANIFEST, DeliveryTrigger
from visavis.services.ports import Transaction
from visavis.spool import reader as spool_reader
from visavis.store import open_store

Run = Callable[..., Result]


@pytest.fixture
def data(new_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VISAVIS_DATA_DIR", str(new_database.parent))
    return new_database.parent


@pytest.fixture
def run(data: Path) -> Run:
    def perform(*arguments: str, fails: bool = False) -> Result:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == int(fails), result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    perform("init", "--password", "pw")
    return perform


def write(data: Path, work: Callable[[Transaction], Any]) -> None:
    store = open_store(str(data / "visavis.db"))
    asyncio.run(store.write(work))
    store.close()


def fill(rows: Transaction) -> None:
    for minute, name in enumerate(("a", "b", "c")):
        add_call(rows, name)
        rows.recordings.add(manifest(name, minutes=minute))
    rows.recordings.record_delivery(1, "a", DELIVERY, "https://tus.example/", now())
    rows.recordings.save_progress(
        1, "b", DeliveryProgress(DeliveryTrigger.GIVE_UP, error="Torn."), now()
    )
    rows.recordings.save_progress(1, "c", DeliveryProgress(error="Away.", next_try=60), now())


def test_list_and_show(run: Run, data: Path) -> None:
    assert "There are none" in run("recordings", "list").stderr
    write(data, fill)
    table = run("recordings", "list").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["id", "c", "b", "a"]
    assert "Torn." in table[2]
    listed = json.loads(run("recordings", "list", "--state", "undelivered", "--json").stdout)
    assert [(one["id"], one["state"]) for one in listed] == [("c", "waiting"), ("b", "failed")]
    assert len(json.loads(run("recordings", "list", "--limit", "1", "--json").stdout)) == 1
    (shown,) = json.loads(run("recordings", "show", "a", "--json").stdout)
    assert shown["recordingServerUrl"] == "https://tus.example/"
    assert "https://tus.example/" in run("recordings", "show", "a").stdout
    assert "There is no recording x" in run("recordings", "show", "x", fails=True).stderr


def test_a_recording_whose_node_is_silent_waits_for_it(run: Run, data: Path) -> None:
    def fill_spool(rows: Transaction) -> None:
        rows.nodes.save("dead", "", now(), "media-7")
        rows.recordings.add(manifest("r"), "dead")

    write(data, fill_spool)
    assert "waiting for media-7 (silent)" in run("recordings", "list").stdout
    (shown,) = json.loads(run("recordings", "show", "r", "--json").stdout)
    assert shown["nodes"] == [
        {"id": "dead", "machine": "media-7", "isSilent": True, "isStopped": False}
    ]

    def stop(rows: Transaction) -> None:
        rows.members.beat(Member("dead", "boot", now(), "1", "media-7", "", ()))
        rows.members.stop("dead", "boot")

    write(data, stop)
    assert "waiting for media-7 (stopped)" in run("recordings", "list").stdout


def test_the_spool_of_a_dead_machine_is_adopted(run: Run, data: Path, tmp_path: Path) -> None:
    dead = tmp_path / "dead"
    put_journal(dead, manifest("r"), 1.0)
    put_journal(dead, manifest("busy"), 1.0)
    (dead / "odd").mkdir()
    (dead / "renamed").mkdir()
    (dead / "renamed" / MANIFEST).write_bytes((dead / "r" / MANIFEST).read_bytes())
    (data / "node").write_text("me")
    write(data, lambda rows: rows.nodes.save("dead", "", now(), "media-7"))
    write(data, lambda rows: rows.recordings.add(manifest("r"), "dead"))
    with (dead / "busy" / MANIFEST).open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        result = run("recordings", "adopt", str(dead), "--json", fails=True)
    assert json.loads(result.stdout) == {"adopted": 1, "failed": 3}
    for reason in ("busy stays there: another process", "odd stays there", "manifest has another"):
        assert reason in result.stderr
    assert [path.name for path in (data / "spool").iterdir()] == ["r"]
    (shown,) = json.loads(run("recordings", "show", "r", "--json").stdout)
    assert [node["id"] for node in shown["nodes"]] == ["me"]
    run("recordings", "export", "r", str(tmp_path / "r.mkv"))
    assert "its own server" in run("recordings", "adopt", str(data / "spool"), fails=True).stderr


def test_a_spool_of_one_of_several_nodes_is_adopted(run: Run, data: Path, tmp_path: Path) -> None:
    dead = tmp_path / "dead" / "spool"
    put_journal(dead, manifest("r"), 1.0)
    (data / "node").write_text("me")

    def nodes(rows: Transaction) -> None:
        for node_id in ("dead", "other"):
            rows.nodes.save(node_id, "", now(), node_id)
            rows.recordings.add(manifest("r"), node_id)

    write(data, nodes)
    assert "--node" in run("recordings", "adopt", str(dead), fails=True).stderr
    (tmp_path / "dead" / "node").write_text("dead")
    run("recordings", "adopt", str(dead))
    (shown,) = json.loads(run("recordings", "show", "r", "--json").stdout)
    assert [node["id"] for node in shown["nodes"]] == ["me", "other"]
    refused = run("recordings", "export", "r", str(tmp_path / "r.mkv"), fails=True)
    assert "It also has packets on other" in refused.stderr
    result = run("recordings", "deliver-without", "other", "r", "none", "--json", fails=True)
    assert json.loads(result.stdout) == {"delivered": 1, "failed": 1}
    assert "none: There is no recording none." in result.stderr
    (shown,) = json.loads(run("recordings", "show", "r", "--json").stdout)
    assert [node["id"] for node in shown["nodes"]] == ["me"]
    run("recordings", "export", "r", str(tmp_path / "r.mkv"))


def test_retry(run: Run, data: Path) -> None:
    write(data, fill)
    assert "1 recording will be retried" in run("recordings", "retry", "b").stdout
    assert "2 recordings will be retried" in run("recordings", "retry", "--all").stdout
    assert "The others" in run("recordings", "retry", "a", "b", fails=True).stderr
    for wrong in ((), ("b", "--all")):
        assert "use --all" in run("recordings", "retry", *wrong, fails=True).stderr


def test_check(run: Run, data: Path) -> None:
    assert "Every call" in run("recordings", "verify").stderr
    write(data, fill)
    result = run("recordings", "verify", fails=True)
    assert "2 recordings missing" in result.stderr
    assert "call-b" in result.stdout
    missing = json.loads(run("recordings", "verify", "--site", "1", "--json", fails=True).stdout)
    assert [(one["callId"], one["state"], one["lastError"]) for one in missing] == [
        ("call-b", "failed", "Torn."),
        ("call-c", "waiting", "Away."),
    ]
    assert missing[0]["seconds"] == 10
    assert run("recordings", "verify", "--since", "1h", "--json").stdout == "[]\n"
    assert "--since requires" in run("recordings", "verify", "--since", "soon", fails=True).stderr


def exported(run: Run, data: Path, recording_id: str, fails: bool = False) -> Result:
    return run("recordings", "export", recording_id, str(data / "out.mkv"), fails=fails)


def test_export_from_the_spool(run: Run, data: Path) -> None:
    write(data, fill)
    put_muxed(data / "spool", "c")
    assert f"{len(CONTENT)} bytes" in exported(run, data, "c").stdout
    assert (data / "out.mkv").read_bytes() == CONTENT
    assert "File exists" in exported(run, data, "c", fails=True).stderr


def test_export_of_what_is_not_muxed_yet(run: Run, data: Path) -> None:
    write(data, fill)
    directory = put_journal(data / "spool", manifest("c"), 1.0)
    with spool_reader.claimed(directory):
        assert "try again in a moment" in exported(run, data, "c", fails=True).stderr
    exported(run, data, "c")
    assert (data / "out.mkv").read_bytes()[:4] == b"\x1a\x45\xdf\xa3"
    (directory / "delivery.json").unlink()
    (directory / "0001.journal").write_bytes(b"x" * 50)
    assert str(directory) in exported(run, data, "c", fails=True).stderr


def test_export_from_the_archive(run: Run, data: Path) -> None:
    write(data, fill)
    assert "fetch it there" in exported(run, data, "a", fails=True).stderr
    archived = data / "archive" / "library" / "1" / "a.mkv"
    archived.parent.mkdir(parents=True)
    archived.write_bytes(CONTENT)
    exported(run, data, "a")
    assert (data / "out.mkv").read_bytes() == CONTENT


def test_export_of_what_is_not_here(run: Run, data: Path) -> None:
    write(data, fill)
    assert "not in this data directory" in exported(run, data, "c", fails=True).stderr
    write(
        data,
        lambda rows: rows.recordings.save_progress(
            1, "c", DeliveryProgress(DeliveryTrigger.NO_MEDIA), now()
        ),
    )
    assert "No media were received" in exported(run, data, "c", fails=True).stderr


def test_a_call_that_was_too_short_is_not_missed(run: Run, data: Path) -> None:
    def work(rows: Transaction) -> None:
        add_call(rows, "short", seconds=timedelta(seconds=1).total_seconds())
        rows.recordings.add(manifest("short"))
        rows.recordings.save_progress(1, "short", DeliveryProgress(DeliveryTrigger.NO_MEDIA), now())

    write(data, work)
    run("recordings", "verify")
