"""The schema: from nothing, from a database of before, back again, and by two at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

import visavis.store.migrations
from tests.postgresql import Cluster
from visavis.domain.library import LibrarySearch
from visavis.domain.policy import Consent, RecordingPolicy, Unrecordable
from visavis.services.audit import AuditReader, AuditTrail
from visavis.services.secrets import digest
from visavis.services.tokens import Tokens
from visavis.store import open_store
from visavis.store.tables import metadata, recordings

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = (NOW + timedelta(days=1)).isoformat(timespec="microseconds")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without any table."""
    if request.param == "sqlite":
        return str(tmp_path / "empty.db")
    cluster: Cluster = request.getfixturevalue("cluster")
    return cluster.empty_database()


def engine_of(address: str) -> sa.Engine:
    if address.startswith("postgresql"):
        return sa.create_engine(address.replace("postgresql", "postgresql+psycopg", 1))
    return sa.create_engine(f"sqlite:///{address}")


def migrate(engine: sa.Engine, revision: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(visavis.store.migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)


def fill_as_before(engine: sa.Engine) -> None:
    """Fill a database as of revision 0001."""
    flag = sa.true() if engine.dialect.name == "postgresql" else sa.literal(1)
    with engine.begin() as connection:
        run = connection.execute
        run(sa.text("INSERT INTO sites VALUES (1, 'Site 1', :at)"), {"at": LATER})
        run(
            sa.text(
                "INSERT INTO agents (id, site_id, email, name, password_hash, is_administrator)"
                f" VALUES (1, 1, 'a@example.com', 'A', '-', {flag.compile(engine)})"
                if engine.dialect.name == "postgresql"
                else "INSERT INTO agents (id, site_id, email, name, password_hash,"
                " is_administrator) VALUES (1, 1, 'a@example.com', 'A', '-', 1)"
            )
        )
        run(
            sa.text("INSERT INTO credentials VALUES (:digest, 1, 1, 'bearer', :at, :at)"),
            {"digest": digest("vv_old"), "at": LATER},
        )
        run(
            sa.text("INSERT INTO audit VALUES ('x', 1, 1, :at, 'type', 'summary', '[]')"),
            {"at": LATER},
        )


def is_ours(_: object, name: str, *__: object) -> bool:
    """Leave the indexes of trigrams out, which each database has in its own way."""
    return not name.startswith(("library_text", "library_entries_visitor_text"))


def test_each_migration_has_a_number_of_its_own_and_follows_the_one_before() -> None:
    files = sorted(Path(visavis.store.migrations.__file__).parent.glob("versions/[0-9]*.py"))
    numbers = [file.name[:4] for file in files]
    assert sorted(set(numbers)) == numbers
    for file, number, before in zip(files, numbers, [None, *numbers], strict=False):
        text = file.read_text()
        assert f'revision = "{number}"\n' in text
        expected = f'"{before}"' if before else "None"
        assert f"down_revision = {expected}\n" in text


RECORDING = '[{"field_name": "recording", "old_value": "r\u00e9c", "new_value": ""}]'


def test_the_migrated_schema_is_the_one_we_query(empty: str) -> None:
    open_store(empty).close()
    engine = engine_of(empty)
    with engine.connect() as connection:
        options = {"compare_type": True, "include_object": is_ours}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


async def test_what_was_there_before_still_works(empty: str, anyio_backend: str) -> None:
    engine = engine_of(empty)
    migrate(engine, "0001")
    fill_as_before(engine)
    store = open_store(empty)
    agent = await Tokens(store, lambda: NOW, str).authenticate("vv_old")
    assert agent.is_administrator
    assert not agent.is_disabled
    (entry,) = await store.read(lambda rows: rows.audit.list_page(1, 10))
    assert entry.agent_id == 1
    store.close()
    engine.dispose()


async def test_old_entries_of_the_audit_log_become_a_chain(empty: str, anyio_backend: str) -> None:
    engine = engine_of(empty)
    migrate(engine, "0001")
    fill_as_before(engine)
    migrate(engine, "0006")
    with engine.begin() as connection:
        query = "INSERT INTO audit VALUES (:id, 1, NULL, :at, 'recordingDeleted', 'Zoë', :changes)"
        rows = [{"id": f"y{n}", "at": LATER, "changes": RECORDING} for n in range(1500)]
        connection.execute(sa.text(query), rows)
    store = open_store(empty)
    await AuditTrail(store, lambda: NOW, lambda: "z").record_act(
        1, 1, "recordingPlayed", "Played", ()
    )
    found = await AuditReader(store).verify(1)
    assert (found.broken, found.checked) == (None, 1502)
    first, second = (one.entry for one in await store.read(lambda rows: rows.audit.sealed(1, 0, 2)))
    assert (first.author, first.object_name) == ("a@example.com", "")
    assert (second.author, second.object_name) == ("system", "recording réc")
    store.close()
    engine.dispose()


def test_down_and_up_again(empty: str) -> None:
    open_store(empty).close()
    engine = engine_of(empty)
    migrate(engine, "0001", down=True)
    fill_as_before(engine)
    migrate(engine, "base", down=True)
    with engine.connect() as connection:
        assert set(sa.inspect(connection).get_table_names()) == {"alembic_version"}
    open_store(empty).close()
    engine.dispose()


async def test_a_session_of_before_was_a_sign_in(empty: str, anyio_backend: str) -> None:
    engine = engine_of(empty)
    migrate(engine, "0001")
    fill_as_before(engine)
    with engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO credentials VALUES (:digest, 1, 1, 'session', :at, :at)"),
            {"digest": digest("vv_cookie"), "at": LATER},
        )
    store = open_store(empty)
    assert await store.read(lambda rows: rows.agents.has_signed_in(1, 1))
    assert await store.read(lambda rows: rows.agents.first_sign_in_pending(1)) is None
    store.close()
    engine.dispose()


def test_two_nodes_may_start_at_once(cluster: Cluster) -> None:
    address = cluster.empty_database()
    with ThreadPoolExecutor(4) as pool:
        for store in pool.map(open_store, [address] * 4):
            store.close()


async def test_policies_of_before_have_the_limits_of_before(empty: str, anyio_backend: str) -> None:
    engine = engine_of(empty)
    migrate(engine, "0001")
    fill_as_before(engine)
    migrate(engine, "0011")
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO recording_policies (site_id, consent, unrecordable, version)"
                " VALUES (1, 'agreement', 'continue', 7)"
            )
        )
    store = open_store(empty)
    policy = await store.read(lambda rows: rows.settings.get(1).policy)
    assert policy == RecordingPolicy(1, Consent.AGREEMENT, Unrecordable.CONTINUE, version=7)
    store.close()
    engine.dispose()


async def test_the_agents_of_older_recordings_are_found(empty: str, anyio_backend: str) -> None:
    engine = engine_of(empty)
    migrate(engine, "0015")
    table = sa.Table("library_entries", sa.MetaData(), autoload_with=engine)
    names = {"one": "bo", "two": "bo\närnst", "three": "bo\nbo", "none": ""}
    usual = {column.name: "x" for column in table.c if isinstance(column.type, sa.Text)}
    numbers = {"site_id": 1, "duration": 1.0, "size": 1, "stamp": 1, "is_held": False}
    lists: dict[str, list[str]] = {"agent_names": [], "missing": []}
    with engine.begin() as connection:
        for name, agents in names.items():
            own = {"id": name, "visitor_text": f"visitor {name}", "agent_text": agents}
            connection.execute(table.insert(), {**usual, **numbers, **lists, **own})
    store = open_store(empty)

    async def found(agent: str = "", visitor: str = "") -> list[str]:
        search = LibrarySearch(agent=agent, visitor=visitor)
        page = await store.read(lambda rows: rows.library.search("x", 1, search))
        return sorted(entry.id for entry in page.entries)

    assert await found(agent="bo") == ["one", "three", "two"]
    assert await found(agent="ärn") == ["two"]
    assert await found(visitor="visitor t") == ["three", "two"]
    await store.write(lambda rows: rows.library.delete("x", [(1, "two")]))
    assert await found(agent="ärn") == []
    assert await found(visitor="visitor t") == ["three"]
    store.close()
    if engine.dialect.name == "sqlite":
        migrate(engine, "0015", down=True)
        with engine.connect() as connection:
            where = "library_text MATCH 'agent_text : xyz OR visitor_text : visitor'"
            query = f"SELECT count(*) FROM library_text WHERE {where}"
            assert connection.execute(sa.text(query)).scalar() == 3
    engine.dispose()


async def test_older_recordings_in_a_spool_are_at_the_node_of_their_call(
    empty: str, anyio_backend: str
) -> None:
    engine = engine_of(empty)
    migrate(engine, "0022")
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO sites (id, name, created_at) VALUES (1, 'x', 'x')"))
        tables = sa.MetaData()
        calls = sa.Table("calls", tables, autoload_with=connection)
        before = sa.Table("recordings", tables, autoload_with=connection)
        usual = {column.name: "x" for column in calls.c if isinstance(column.type, sa.Text)}
        flags = {"site_id": 1, "is_recorded": True, "is_unrecorded": False}
        moment = "2026-01-01T00:00:00+00:00"
        call = {**usual, **flags, "requested_at": moment, "id": "c", "node_id": "n"}
        connection.execute(calls.insert().values(call))
        for recording_id, call_id, state in (
            ("old", "c", "waiting"),
            ("done", "c", "delivered"),
            ("lost", "no call", "waiting"),
        ):
            values = {"id": recording_id, "call_id": call_id, "state": state, "site_id": 1}
            counts = {"uploaded": 0, "attempts": 0, "started_at": moment}
            connection.execute(before.insert().values({**values, **counts}))
    migrate(engine, "0023")
    with engine.connect() as connection:
        found = connection.execute(sa.select(recordings.c.id, recordings.c.nodes)).all()
    assert {row.id: row.nodes for row in found} == {"old": ["n"], "done": None, "lost": None}
    migrate(engine, "0022", down=True)
    engine.dispose()
