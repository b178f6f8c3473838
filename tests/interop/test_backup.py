"""The commands for backup and restore in docs/operations.md, upgrades and downgrades."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.cli.commands import visavis
from tests.postgresql import Cluster
from tests.recorder.conftest import manifest_of
from tests.recorder.journals import put_journal
from tests.running import PATIENCE, System, administer, eventually
from tests.store.test_migrations import engine_of, fill_as_before, migrate
from tests.store.test_recordings import add_call
from visavis.services.ports import Transaction
from visavis.store import open_store
from visavis.store.migrations import NEWEST

pytestmark = pytest.mark.interop

DOCUMENT = (Path(__file__).parents[2] / "docs/operations.md").read_text()
COMMANDS = dict(
    re.findall(r"<!-- ((?:backup|restore)-\w+) -->\n```sh\n(.*?)```", DOCUMENT, re.DOTALL)
)
DEAD_SERVER = "http://127.0.0.1:9/"


class Installation:
    """A data directory and a database, and the document's commands for them."""

    def __init__(self, directory: Path, cluster: Cluster | None) -> None:
        self.data = directory / "data"
        self.backup = directory / "backup"
        self._cluster = cluster

    @property
    def kind(self) -> str:
        return "postgresql" if self._cluster else "sqlite"

    @property
    def database(self) -> str:
        return os.environ.get("VISAVIS_DATABASE", str(self.data / "visavis.db"))

    def perform(self, action: str) -> None:
        """Run the commands of one block, with this test's directories."""
        text = COMMANDS[f"{action}-{self.kind}"].replace("/var/lib/visavis", str(self.data))
        text = text.replace("/var/backups/visavis", str(self.backup))
        assert "/var/" not in text.replace(str(self.data.parent), "")
        subprocess.run(["sh", "-eu"], input=text, text=True, check=True, timeout=PATIENCE)

    def move_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Leave the data directory and the database alone, and have neither."""
        self.data.rename(self.data.with_name("newer"))
        if self._cluster:
            monkeypatch.setenv("VISAVIS_DATABASE", self._cluster.empty_database())


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def installation(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Installation:
    cluster: Cluster | None = None
    if request.param == "postgresql":
        cluster = request.getfixturevalue("cluster")
        assert cluster
        monkeypatch.setenv("VISAVIS_DATABASE", cluster.empty_database())
    return Installation(tmp_path, cluster)


def record(system: System, database: str, recording_id: str) -> None:
    """Add a call and its recording, which waits in the spool."""

    def work(rows: Transaction) -> None:
        add_call(rows, recording_id)
        rows.recordings.add(manifest_of(recording_id))

    store = open_store(database)
    asyncio.run(store.write(work))
    store.close()
    system.spool.mkdir(exist_ok=True)
    put_journal(system.spool, manifest_of(recording_id), 1.0)


def archived(system: System) -> list[str]:
    return sorted(recording["id"] for recording in system.recordings())


def test_the_document_has_all_four_blocks() -> None:
    assert set(COMMANDS) == {
        f"{action}-{kind}" for action in ("backup", "restore") for kind in ("sqlite", "postgresql")
    }


def test_everything_is_there_after_a_restore(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = System(installation.data).start()
    system.configure(on=True, recording=True)
    record(system, installation.database, "delivered")
    eventually(lambda: archived(system) == ["delivered"])
    system.configure(on=True, recording=True, url=DEAD_SERVER)
    record(system, installation.database, "waiting")
    installation.perform("backup")
    system.stop()
    installation.move_away(monkeypatch)
    installation.perform("restore")
    names = {path.name for path in installation.data.iterdir()}
    assert {"archive", "archive.key", "node", "spool"} <= names
    assert "visavis.dump" not in names
    assert installation.data.stat().st_mode & 0o077 == 0
    key = (installation.data.with_name("newer") / "archive.key").read_bytes()
    assert (installation.data / "archive.key").read_bytes() == key

    system.start()
    config = system.ask("/v4/livechat/audioVideoChatConfig")  # by the token of before
    assert config["recordingServerUrl"] == DEAD_SERVER
    listed = json.loads(administer("recordings", "list", "--data", system.data, "--json"))
    assert {recording["id"] for recording in listed} == {"delivered", "waiting"}
    assert archived(system) == ["delivered"]
    assert system.undelivered() == ["waiting"]
    system.configure(on=True, recording=True)
    eventually(lambda: archived(system) == ["delivered", "waiting"])
    eventually(lambda: system.undelivered() == [])
    system.stop()


def test_an_upgrade_keeps_the_data_and_a_downgrade_restores_the_backup(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.data.mkdir(mode=0o700)
    (installation.data / "archive").mkdir()
    previous = f"{int(NEWEST) - 1:04}"
    engine = engine_of(installation.database)
    migrate(engine, "0001")
    fill_as_before(engine)
    migrate(engine, previous)
    installation.perform("backup")

    system = System(installation.data).start()
    assert schema_of(installation) == NEWEST
    assert agents(system) == ["a@example.com"]
    system.stop()

    with engine.begin() as connection:  # as if this version were the older one
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    refused = visavis("serve", "--data", system.data, "--port", 0, "--media-port", 0)
    assert refused.returncode == 1
    assert f"(9999) is of a newer version of Visavis than this one ({NEWEST})" in refused.stderr
    assert "restore the backup from before the upgrade" in refused.stderr
    assert "Traceback" not in refused.stderr

    installation.move_away(monkeypatch)
    installation.perform("restore")
    assert schema_of(installation) == previous
    system.start()
    assert agents(system) == ["a@example.com"]
    system.stop()


def schema_of(installation: Installation) -> str:
    engine = engine_of(installation.database)
    with engine.connect() as connection:
        step = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar_one()
    engine.dispose()
    return str(step)


def agents(system: System) -> list[str]:
    listed = administer("agent", "list", "--data", system.data, "--json")
    return [agent["email"] for agent in json.loads(listed)]
