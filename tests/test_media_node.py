"""Roles of a node: its parts, what it needs, and a media node among the members."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.dying import dies_once
from tests.running import until
from visavis import recorder_process, tasks
from visavis.archive.upload_keys import OwnKey, digest
from visavis.cli import main
from visavis.recorder_process import MediaNode
from visavis.settings import Settings
from visavis.store import open_store
from visavis.store.sql import SqlStore
from visavis.supervisor import part_names
from visavis.tasks import cancelled


@pytest.mark.parametrize(
    ("roles", "parts"),
    [
        ("app,media,recorder", (["media-0", "media-1"], ["recorder"], ["app"])),
        ("app", ([], [], ["app"])),
        ("media,recorder", (["media-0", "media-1"], ["recorder"], [])),
    ],
)
def test_a_node_runs_the_parts_of_its_roles(
    roles: str, parts: tuple[list[str], list[str], list[str]]
) -> None:
    assert part_names(Settings(roles=roles, media_workers=2)) == parts


@pytest.mark.parametrize("roles", ["media", "recorder", "app,media", "app,app", "archive", ""])
def test_other_roles_are_refused(roles: str, tmp_path: Path) -> None:
    arguments = ("serve", "--data", str(tmp_path), "--roles", roles or ",")
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "takes app,media,recorder, or app, or media,recorder" in result.stderr


@pytest.mark.parametrize("roles", ["app", "media,recorder"])
def test_a_node_without_all_roles_needs_what_connects_it(roles: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ("serve", "--data", str(tmp_path), "--roles", roles))
    assert result.exit_code == 1
    assert f"--roles {roles} needs --bus and --database" in result.stderr


def test_a_media_node_needs_an_address_for_other_recorders(tmp_path: Path) -> None:
    options = {
        "roles": "media,recorder",
        "bus": "nats://n1",
        "database": "postgresql://db1/visavis",
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
    result = CliRunner().invoke(main, ("serve", "--data", str(tmp_path), *arguments))
    assert result.exit_code == 1
    assert "--roles media,recorder needs --recorder-address" in result.stderr


@pytest.fixture
async def store(new_database: Path, anyio_backend: str) -> AsyncIterator[SqlStore]:
    opened = open_store(str(new_database))
    yield opened
    opened.close()


@pytest.mark.anyio
async def test_a_media_node_is_a_member_whose_uploads_are_accepted(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(recorder_process, "BEAT_SECONDS", 0.01)
    settings = Settings(data_dir=tmp_path, roles="media,recorder", media_workers=2)
    node = MediaNode(settings, store)
    with dies_once("media node", MediaNode, "beat") as is_dead:
        beating = await node.start()
        await until(is_dead)

    async def beats() -> list[int]:
        members = await store.read(lambda rows: rows.members.all())
        assert [one.roles for one in members] in ([], [("media", "recorder")])
        return [one.beat for one in members]

    while not any(await beats()):
        pass
    key = digest(OwnKey(settings.archive_key_file)())
    found = await store.read(lambda rows: rows.upload_keys.find(key))
    assert found
    assert found.node == settings.node_file.read_text()
    await cancelled(beating)
    await node.leave()
    assert await beats() == []
