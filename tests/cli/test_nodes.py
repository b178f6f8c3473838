"""`visavis nodes` lists the nodes that share the database, and says which are silent."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from visavis.cli import main
from visavis.domain.membership import Member, MemberLoad
from visavis.store import open_store
from visavis.store import tables as t
from visavis.store.sql import SqlStore, SqlTransaction

NOW = datetime(2026, 1, 1, tzinfo=UTC)
A = Member("a", "boot", NOW, "1.0", "machine", "http://a", ("app",), load=MemberLoad(1, 2, 3, 4))


@pytest.fixture
def store(new_database: Path) -> Iterator[SqlStore]:
    opened = open_store(str(new_database))
    yield opened
    opened.close()


def save(store: SqlStore, *members: Member) -> None:
    with store._database.engine.begin() as connection:
        for member in members:
            SqlTransaction(connection).members.beat(member)


@contextmanager
def beating(store: SqlStore, node_id: str) -> Iterator[None]:
    """Let a member's beat rise in the meantime."""
    is_over = threading.Event()
    c = t.members.c

    def beat() -> None:
        while not is_over.wait(0.1):
            with store._database.engine.begin() as connection:
                mine = update(t.members).where(c.node_id == node_id)
                connection.execute(mine.values(beat=c.beat + 1))

    thread = threading.Thread(target=beat)
    thread.start()
    yield
    is_over.set()
    thread.join()


def test_a_silent_node_is_told_from_those_that_run(store: SqlStore, new_database: Path) -> None:
    save(store, A, replace(A, node_id="b"))
    with store._database.engine.begin() as connection:
        rows = SqlTransaction(connection)
        rows.jobs.take("recording counts", "a", 60)
        rows.sites.add("Site", NOW)
        rows.site_owners.take_all("a", "a", "boot")
    command = ["nodes", "--data", str(new_database.parent)]
    with beating(store, "a"):
        listed = CliRunner().invoke(main, [*command, "--json"])
    assert listed.exit_code == 0, listed.output
    first, second = json.loads(listed.output)
    assert first == {
        "id": "a",
        "machine": "machine",
        "url": "http://a",
        "state": "ready",
        "version": "1.0",
        "since": "2026-01-01T00:00:00.000Z",
        "roles": ["app"],
        "calls": 1,
        "pages": 2,
        "media_workers": 3,
        "bridges": 4,
        "sites": 1,
        "jobs": ["recording counts"],
    }
    assert (second["id"], second["state"]) == ("b", "silent")


def test_the_table_for_people(store: SqlStore, new_database: Path) -> None:
    save(store, A)
    with beating(store, "a"):
        listed = CliRunner().invoke(main, ["nodes", "--data", str(new_database.parent)])
    assert "4 bridges in 3 workers" in listed.output
    assert "ready" in listed.output


def test_nobody_is_there(store: SqlStore, new_database: Path) -> None:
    listed = CliRunner().invoke(main, ["nodes", "--data", str(new_database.parent)])
    assert listed.output == "There are none.\n"


def test_a_media_node_shows_its_roles_and_workers(store: SqlStore, new_database: Path) -> None:
    roles = ("media", "recorder")
    save(store, replace(A, node_id="m", roles=roles, load=MemberLoad(media_workers=3)))
    with beating(store, "m"):
        shown = CliRunner().invoke(main, ("nodes", "--data", str(new_database.parent)))
    assert "media,recorder" in shown.stdout
    assert "0 bridges in 3 workers for other nodes" in shown.stdout


def test_a_node_that_was_stopped_is_not_silent(store: SqlStore, new_database: Path) -> None:
    save(store, A)
    with store._database.engine.begin() as connection:
        SqlTransaction(connection).members.stop("a", "boot")
    listed = CliRunner().invoke(main, ["nodes", "--data", str(new_database.parent), "--json"])
    assert json.loads(listed.output)[0]["state"] == "stopped"


def test_a_media_node_is_drained_and_undrained(store: SqlStore, new_database: Path) -> None:
    save(store, replace(A, node_id="m", machine="media-7", roles=("media", "recorder")))
    with store._database.engine.begin() as connection:
        rows = SqlTransaction(connection)
        rows.nodes.save("m", "", NOW, "media-7")
        rows.sites.add("Site", NOW)
    for command, is_drained in (("drain", True), ("undrain", False)):
        arguments = ["nodes", command, "media-7", "--data", str(new_database.parent)]
        done = CliRunner().invoke(main, [*arguments, "--json"])
        assert json.loads(done.output) == {
            "id": "m",
            "machine": "media-7",
            "is_drained": is_drained,
        }
        with store._database.engine.begin() as connection:
            assert SqlTransaction(connection).nodes.is_drained("m") is is_drained
    assert "media-7 takes new calls again." in CliRunner().invoke(main, arguments).output


def test_options_of_the_list_do_not_apply_to_a_drain(new_database: Path) -> None:
    done = CliRunner().invoke(main, ["nodes", "--json", "drain", "m"])
    assert "Give the options after drain." in done.output
