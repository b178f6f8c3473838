"""`visavis archive`: the recording server alone, and its upload keys."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from msgspec import structs
from starlette.requests import Request

from visavis.app import freeze_garbage_collector
from visavis.archive.admission import Quota
from visavis.archive.archive import Archive
from visavis.archive.migration import Migration, MigrationError, local_recordings
from visavis.archive.object_store import open_object_store
from visavis.archive.ports import RefusedError
from visavis.archive.routes import UPLOADS
from visavis.archive.upload_keys import OwnKey, UploadKeys
from visavis.cli.configuration import with_settings
from visavis.cli.context import (
    CommandContext,
    config_option,
    data_option,
    fail,
    json_option,
    make_directory,
    opened,
    protect_files,
    settings_of,
    show,
    show_one,
)
from visavis.cli.credentials import overlap_option, read_overlap
from visavis.cli.logs import log_to_stderr
from visavis.cli.serve import (
    create_first_site,
    first_sign_in_hint,
    free_port,
    print_credentials,
    read_secrets,
    require_free_port,
    require_storage_client,
    require_tls_files,
)
from visavis.clock_and_ids import new_id, now
from visavis.compose import Services, open_database
from visavis.descriptors import raise_limit
from visavis.domain.audit import ActionType
from visavis.domain.errors import VisavisError
from visavis.domain.people import operator
from visavis.domain.upload_keys import UploadKey
from visavis.durable import lock_directory
from visavis.http_server import http_server, server_certificate, watch_certificate
from visavis.lifecycle import Lifecycle
from visavis.listener import listen
from visavis.log_lines import is_for_people
from visavis.log_stream import dropped_lines, protect_standard_streams
from visavis.protocol.command_line import UploadKeyRow, UploadKeySecret
from visavis.protocol.routes import Caller
from visavis.services.audit import Auditor
from visavis.services.people import FIRST_EMAIL, People
from visavis.services.ports import Transaction
from visavis.services.sign_in_sessions import SignInSessions
from visavis.settings import Settings
from visavis.store.sql import SqlStore
from visavis.tasks import cancelled, child, run_every, run_forever
from visavis.web.api.session import SessionApi
from visavis.web.authentication import Authentication
from visavis.web.metrics import Gauge, Metrics, MetricsAccess
from visavis.web.request import AccessLog
from visavis.web.router import RateLimit, RequestLimits, Router
from visavis.web.routes import lone_archive_routes, probe_routes, session_routes
from visavis.web.source import source_of

T = TypeVar("T")

SETTINGS: Final = (
    *("data_dir", "database", "host", "port", "public_url", "tls_cert", "tls_key"),
    *("trusted_proxies", "rate_limit", "page_rate_limit", "log_level", "log_format"),
    "session_idle_minutes",
    *("archive_site_gigabytes", "archive_uploads_per_key"),
    *("storage", "storage_access_key", "storage_secret_key"),
)

IDLE_SECONDS: Final = 60.0

site_option = click.option("--site", type=click.IntRange(1), default=1, show_default=True)


@click.group(invoke_without_command=True)
@config_option
@click.option(
    "--retention-days",
    type=click.IntRange(1, 36_500),
    help="Delete recordings after this many days, except those on legal hold; keep them "
    "if not set.",
)
@with_settings(*SETTINGS)
@click.pass_context
def archive(
    context: click.Context, /, config_file: Path | None, retention_days: int | None, **options: Any
) -> None:
    """Run the recording server alone: uploads (tus 1.0) and the library.

    The agents in the database may use the library, as with visavis serve. The first start adds
    an administrator and prints the password.
    """
    if context.invoked_subcommand is not None:
        return
    settings = _settings(config_file, options)
    protect_standard_streams("stderr")
    log_to_stderr(settings.log_level, settings.log_format)
    make_directory(settings.data_dir)
    require_free_port(settings)
    protect_files(settings.data_dir)
    if account := create_first_site(settings.database_address, "Site 1", FIRST_EMAIL, None):
        print_credentials(account)
    pending = _first_sign_in_pending(settings)
    # only now: the password is written directly, and a queue could lose it
    protect_standard_streams("stdout")

    def reread(lifecycle: Lifecycle) -> None:
        if secrets := read_secrets(config_file, options):
            lifecycle.use_secrets(secrets)

    keep = _keep_for(retention_days)
    try:
        asyncio.run(_run(settings, keep, lambda: _announce(settings, pending), reread))
    except OSError as error:
        fail(f"{error.strerror or error}.")


@archive.command("migrate")
@click.option(
    "--remove",
    "removes",
    is_flag=True,
    help="Delete each local recording once its copy is verified.",
)
@config_option
@with_settings("data_dir", "database", "storage", "storage_access_key", "storage_secret_key")
def migrate(config_file: Path | None, *, removes: bool, **options: Any) -> None:
    """Copy the recordings of the local disk to the object store.

    Set --storage for the server and start it again first: new recordings go to the object
    store, and this command copies the others meanwhile. Each copy is read back and compared
    with its SHA-256 before the library lists it. A migration that was interrupted goes on
    when the command is given again.
    """
    settings = settings_of(config_file, options)
    if not settings.storage:
        fail("Set --storage to the object store, as for the server.")
    require_storage_client(settings)
    if not settings.archive_dir.is_dir():
        fail(f"{settings.archive_dir} does not exist: choose the data directory with --data.")
    log_to_stderr("warning", "text")
    try:
        lock = lock_directory(
            settings.archive_dir,
            f"A server uses {settings.archive_dir} without --storage, or another migration "
            "runs: set --storage for the server and start it again first",
        )
    except OSError as error:
        fail(f"{error.strerror}.")
    try:
        migrated, failed = asyncio.run(_migrate(settings, removes=removes))
    except VisavisError as error:
        fail(f"{error.message} Give the command again to go on.")
    finally:
        os.close(lock)
    click.echo(f"{_were(migrated)} migrated.")
    if failed:
        fail(f"{_were(failed)} not: see above.")


def _were(count: int) -> str:
    return "1 recording was" if count == 1 else f"{count} recordings were"


async def _migrate(settings: Settings, *, removes: bool) -> tuple[int, int]:
    """Return how many recordings were migrated, and how many could not be."""
    recordings = await asyncio.to_thread(
        lambda: list(local_recordings(settings.archive_dir / "library"))
    )
    store, objects = opened(settings.database_address), open_object_store(settings)
    if objects is None:
        raise RuntimeError("the command requires an object store")
    failures = list[str]()
    try:
        size = sum(recording.entry.size for recording in recordings)
        with click.progressbar(length=size, label="Copying", file=sys.stderr) as bar:
            migration = Migration(objects, store, bar.update)
            for recording in recordings:
                try:
                    await migration.migrate(recording, removes=removes)
                except (MigrationError, RefusedError) as error:
                    failures.append(f"{recording.file}: {error}")
    finally:
        objects.close()
        store.close()
    for failure in failures:
        click.echo(failure, err=True)
    return len(recordings) - len(failures), len(failures)


@archive.group("upload-key")
def upload_key() -> None:
    """Upload keys: each lets another server upload the recordings of one site."""


@upload_key.command("add")
@click.argument("name")
@site_option
@json_option
@config_option
@data_option
def add_key(
    config_file: Path | None, data_dir: Path | None, name: str, site: int, *, as_json: bool
) -> None:
    """Add an upload key and print it. It is not shown again."""
    settings = settings_of(config_file, {"data_dir": data_dir})

    async def add(keys: UploadKeys) -> str | None:
        is_known = any((one.name, one.site_id) == (name, site) for one in await keys.all())
        return None if is_known else await keys.add(name, site)

    secret = _with_keys(settings, add)
    if secret is None:
        fail(f"Site {site} already has an upload key named {name}.")
    _record(settings, site, ActionType.UPLOAD_KEY_CREATED, name, "Added")
    show_one(UploadKeySecret(name, site, secret), secret, as_json=as_json)


@upload_key.command("rotate")
@click.argument("name")
@site_option
@overlap_option
@json_option
@config_option
@data_option
def rotate_key(
    config_file: Path | None,
    data_dir: Path | None,
    name: str,
    site: int,
    overlap: str,
    *,
    as_json: bool,
) -> None:
    """Replace an upload key and print the new one. It is not shown again."""
    seconds = read_overlap(overlap).total_seconds()
    settings = settings_of(config_file, {"data_dir": data_dir})
    secret = _with_keys(settings, lambda keys: keys.rotate(name, site, seconds))
    if secret is None:
        fail(f"Site {site} has no upload key named {name}.")
    _record(settings, site, ActionType.UPLOAD_KEY_ROTATED, name, "Replaced")
    show_one(UploadKeySecret(name, site, secret), secret, as_json=as_json)


@upload_key.command("rotate-own")
@overlap_option
@config_option
@data_option
def rotate_own_key(config_file: Path | None, data_dir: Path | None, overlap: str) -> None:
    """Replace the archive's own key, by which the recorder uploads for every site.

    The recorder of the same data directory uses the new key at once. It is not
    printed: other programs find it in the file archive.key.
    """
    seconds = read_overlap(overlap).total_seconds()
    settings = settings_of(config_file, {"data_dir": data_dir})
    file = settings.archive_key_file
    _with_keys(settings, lambda keys: keys.rotate_own(file, seconds))
    _record(settings, None, ActionType.UPLOAD_KEY_ROTATED, "of the built-in archive", "Replaced")
    click.echo(f"The new key is in {settings.archive_key_file}.")


@upload_key.command("list")
@json_option
@config_option
@data_option
def list_keys(config_file: Path | None, data_dir: Path | None, *, as_json: bool) -> None:
    """List the upload keys by name."""
    settings = settings_of(config_file, {"data_dir": data_dir})
    rows = [
        UploadKeyRow(
            "every" if known.site_id is None else known.site_id, known.name, _end_of(known)
        )
        for known in _with_keys(settings, lambda keys: keys.all())
    ]
    show(rows, as_json=as_json)


@upload_key.command("delete")
@click.argument("name")
@site_option
@config_option
@data_option
def delete_key(config_file: Path | None, data_dir: Path | None, name: str, site: int) -> None:
    """Delete a key: it is refused from now on."""
    settings = settings_of(config_file, {"data_dir": data_dir})
    if not _with_keys(settings, lambda keys: keys.delete(name, site)):
        fail(f"Site {site} has no upload key named {name}.")
    _record(settings, site, ActionType.UPLOAD_KEY_DELETED, name, "Deleted")


def _end_of(key: UploadKey) -> str:
    """Return when a replaced key ends; empty for one that stays valid."""
    if key.expires_at is None:
        return ""
    return datetime.fromtimestamp(key.expires_at, UTC).isoformat(timespec="seconds")


def _record(
    settings: Settings, site_id: int | None, action: ActionType, name: str, done: str
) -> None:
    """Add what was done to a key to the audit log of its site, or of every one with `None`.

    Sites that are not in the database have no log.
    """
    store = opened(settings.database_address)
    named = f"upload key {name}"

    def work(rows: Transaction) -> None:
        for site in rows.sites.all():
            if site_id in {None, site.id}:
                author, summary = operator(site.id), f"{done} the {named}"
                entry = Auditor(now, new_id).entry(author, site.id, action, named, summary)
                rows.audit.add(entry)

    try:
        asyncio.run(store.write(work))
    except VisavisError as error:
        fail(error.message)
    finally:
        store.close()


def _with_keys(settings: Settings, work: Callable[[UploadKeys], Coroutine[Any, Any, T]]) -> T:
    """Return the result of work with the upload keys of the database."""
    if not settings.data_dir.is_dir():
        fail(f"{settings.data_dir} is not set up: run visavis archive or visavis serve first.")
    store = opened(settings.database_address)
    keys = UploadKeys(store, OwnKey(settings.archive_key_file))

    async def perform() -> T:
        await keys.import_file(settings.archive_dir)
        return await work(keys)

    try:
        return asyncio.run(perform())
    except VisavisError as error:
        fail(error.message)
    finally:
        store.close()


def _settings(config_file: Path | None, options: dict[str, Any]) -> Settings:
    settings = settings_of(config_file, options)
    require_tls_files(settings)
    require_storage_client(settings)
    return structs.replace(
        settings,
        data_dir=settings.data_dir.absolute(),
        port=settings.port or free_port(settings.host),
    )


def _keep_for(days: int | None) -> Callable[[int], Awaitable[int | None]]:
    async def retention_days_of(_: int) -> int | None:
        return days

    return retention_days_of


async def _run(
    settings: Settings,
    retention_days_of: Callable[[int], Awaitable[int | None]],
    announce: Callable[[], None],
    reread: Callable[[Lifecycle], None],
) -> None:
    """Serve until SIGINT or SIGTERM; raises `OSError` when the port or the archive is another's."""
    raise_limit()
    lifecycle = Lifecycle()
    lifecycle.handle_signals(signal.SIGINT, signal.SIGTERM)
    listener = listen(settings.host, settings.port)
    certificate = server_certificate(settings)
    store = open_database(settings)
    services = Services(store, idle_minutes=settings.session_idle_minutes)
    people, tokens = services.people, services.tokens
    sessions = Authentication(tokens, services.keys, people, settings.public_url)

    async def audit_refusal(request: Request) -> None:
        await people.failures.add_upload_key(source_of(request.scope))

    recording_archive = Archive(
        settings.archive_dir,
        key=OwnKey(settings.archive_key_file),
        store=store,
        audit=services.audit_trail.record_act,
        retention_days_of=retention_days_of,
        objects=open_object_store(settings),
        is_disabled=people.is_site_disabled,
        on_refused=audit_refusal,
        quota=Quota(
            site_bytes=settings.archive_site_bytes,
            uploads_per_key=settings.archive_uploads_per_key,
        ),
    )
    access = MetricsAccess(settings.metrics_networks, settings.metrics_token)
    access_log = AccessLog(
        sys.stderr.buffer if settings.log_level in {"debug", "info"} else None,
        is_text=is_for_people(settings.log_format, sys.stderr),
    )
    gauges = {"visavis_log_lines_dropped": Gauge("Log lines that nobody could read", dropped_lines)}
    web = Router(
        (
            *session_routes(SessionApi(tokens, people, services.sign_ins)),
            *lone_archive_routes(),
            *probe_routes(Metrics(gauges)),
            *recording_archive.routes(),
        ),
        {**sessions.gates(), Caller.OPERATOR: access.admit, **recording_archive.gates()},
        access_log,
        RateLimit(
            RequestLimits(api=settings.rate_limit, page=settings.page_rate_limit),
            sessions.known_token,
            sessions.has_token,
        ),
    )
    server = http_server(web, settings, certificate)
    lifecycle.listen_to_secrets(lambda new: access.use_tokens(new.metrics_token))
    lifecycle.reload_listeners.append(lambda: reread(lifecycle))
    background = [
        recording_archive.start(),
        watch_credentials(store),
        keep_sign_ins(people, services.sign_ins),
    ]
    if certificate:
        background.append(watch_certificate(certificate, lifecycle))
    serving = child(server.serve([listener]))
    freeze_garbage_collector()
    announce()
    try:
        await lifecycle.stop.wait()
    finally:
        server.should_exit = True
        await serving
        await cancelled(*background)
        with suppress(VisavisError):
            await people.failures.flush()
            await tokens.save_uses()
        recording_archive.close()
        access_log.flush()
        store.close()


def keep_sign_ins(people: People, sign_ins: SignInSessions) -> asyncio.Task[None]:
    """Write uses of sessions and failed sign-ins to the database, and end idle sessions."""

    async def keep() -> None:
        await people.failures.flush()
        await sign_ins.end_idle()

    return run_every("archive sign-ins", IDLE_SECONDS, keep)


def watch_credentials(store: SqlStore) -> asyncio.Task[None]:
    """Follow changes by other processes, such as the command line."""

    async def watch() -> None:
        async with aclosing(store.changes()) as log:
            async for _ in log:
                pass  # the store has told its listeners

    return run_forever("credential changes", watch)


def _first_sign_in_pending(settings: Settings) -> str | None:
    store = opened(settings.database_address)
    try:
        return asyncio.run(CommandContext(store).people.first_sign_in_pending())
    finally:
        store.close()


def _announce(settings: Settings, pending: str | None) -> None:
    url = settings.base_url
    lines = [
        "",
        f"The archive is running at {url}.",
        "",
        f"Recordings are uploaded to {url}{UPLOADS}/",
        f"  with the key in {settings.archive_key_file}",
        "  or a key of one site: visavis archive upload-key add --help",
        f"The library is at {url}/library",
        "",
        *first_sign_in_hint(settings, pending),
        "Ctrl-C stops the archive.",
        "",
    ]
    click.echo("\n".join(lines))
