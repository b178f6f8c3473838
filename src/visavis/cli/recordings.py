"""`visavis recordings`: how far recordings have come, and which are missing."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from visavis.cli.context import (
    CommandContext,
    fail,
    json_option,
    show,
    show_one,
    show_table,
    site_option,
    with_context,
)
from visavis.cli.credentials import read_lifetime
from visavis.clock_and_ids import ensure_node_id, now
from visavis.domain.call_events import CallReport
from visavis.domain.delivery_status import ExpectedRecording, RecordingStatus
from visavis.domain.errors import VisavisError
from visavis.domain.people import operator
from visavis.domain.recording import MATROSKA, UNDELIVERED, RecordingState
from visavis.protocol.command_line import (
    RecordingExported,
    RecordingsAdopted,
    RecordingsGivenUp,
    RecordingsRetried,
    missing_recording_of,
)
from visavis.protocol.recordings import recording_of
from visavis.protocol.wire import format_optional_time, format_time
from visavis.recorder.mux.requests import MuxRequest, Outcome
from visavis.recorder.mux.worker import perform
from visavis.services.recordings import EVER, EVERY_STATE
from visavis.spool import reader as spool_reader
from visavis.spool.adoption import move_into

STATES: Final = {**{str(state): (state,) for state in EVERY_STATE}, "undelivered": UNDELIVERED}

id_argument = click.argument("recording_id", metavar="ID")


@click.group()
def recordings() -> None:
    """List, retry, export and check recordings."""


@recordings.command("list")
@site_option
@click.option("--state", type=click.Choice(list(STATES)), help="Only recordings in this state.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@with_context
async def list_(
    context: CommandContext, site: int | None, state: str | None, limit: int, as_json: bool
) -> None:
    """List a site's recordings, newest first."""
    recording_admin, who = (
        (await context.with_archive()).recording_admin,
        operator(await context.site(site)),
    )
    page = await recording_admin.list_page(who, STATES[state] if state else EVERY_STATE, 1, limit)
    if as_json:
        show([recording_of(one) for one in page.recordings], as_json=True)
    else:
        show_table([_brief(one) for one in page.recordings])


@recordings.command("show")
@id_argument
@site_option
@json_option
@with_context
async def show_(
    context: CommandContext, recording_id: str, site: int | None, as_json: bool
) -> None:
    """Show everything that is known about a recording."""
    recording_admin, who = (
        (await context.with_archive()).recording_admin,
        operator(await context.site(site)),
    )
    output = recording_of(await recording_admin.get(who, recording_id))
    if as_json:
        show([output], as_json=True)
    else:
        fields = msgspec.to_builtins(output).items()
        show_table([{"": name, "value": value} for name, value in fields])


@recordings.command("retry")
@click.argument("recording_ids", metavar="[ID]...", nargs=-1)
@click.option(
    "--all", "is_all", is_flag=True, help="All recordings that have not been delivered yet."
)
@site_option
@json_option
@with_context
async def retry(
    context: CommandContext,
    recording_ids: tuple[str, ...],
    is_all: bool,
    site: int | None,
    as_json: bool,
) -> None:
    """Retry recordings now, including those that failed."""
    if bool(recording_ids) == is_all:
        fail("Name one or more recordings, or use --all.")
    recording_admin, who = (
        (await context.with_archive()).recording_admin,
        operator(await context.site(site)),
    )
    count = await recording_admin.retry(who, None if is_all else recording_ids)
    text = f"{_recordings(count)} will be retried; a running server does so within a second."
    show_one(RecordingsRetried(count), text, as_json=as_json)
    if count < len(recording_ids):
        fail("The others have already been delivered, or do not exist.")


@recordings.command("export")
@id_argument
@click.argument("path", type=click.Path(path_type=Path))
@site_option
@json_option
@with_context
async def export(
    context: CommandContext, recording_id: str, path: Path, site: int | None, as_json: bool
) -> None:
    """Write a recording's Matroska file to PATH, from the spool or from the built-in archive."""
    recording_admin, who = (
        (await context.with_archive()).recording_admin,
        operator(await context.site(site)),
    )
    found = await recording_admin.get(who, recording_id)
    report = await context.store.read(lambda rows: rows.calls.report(who.site_id, found.call_id))
    size = _copy(_file_of(context, found, report), path)
    show_one(RecordingExported(str(path), size), f"{path}: {size} bytes", as_json=as_json)


@recordings.command("adopt")
@click.argument("spool", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--node",
    default="",
    help="Id of the node that had the spool; needed if the file 'node' is not beside the spool.",
)
@json_option
@with_context
async def adopt(context: CommandContext, spool: Path, node: str, as_json: bool) -> None:
    """Move the recordings of a machine that has died from its SPOOL into this one.

    SPOOL is its directory data/spool, on a disk that is attached to this machine. A running server
    delivers the recordings; calls that were in progress on that machine are ended.
    """
    _require_other(context, spool)
    node_id = ensure_node_id(context.settings.node_file)
    former = node or _read_node(spool.with_name(context.settings.node_file.name))
    former = former if former != node_id else ""  # the spool is in our own data directory
    adopted = failed = 0
    for directory in spool_reader.recordings(spool):
        try:
            await _adopt(context, directory, node_id, former)
            adopted += 1
        except (OSError, ValueError, VisavisError) as error:
            reason = error.message if isinstance(error, VisavisError) else str(error)
            click.echo(f"visavis: {directory.name} stays there: {reason}", err=True)
            failed += 1
    text = f"{_recordings(adopted)} moved into {context.settings.spool}."
    show_one(RecordingsAdopted(adopted, failed), text, as_json=as_json)
    if failed:
        sys.exit(1)


def _require_other(context: CommandContext, spool: Path) -> None:
    if spool.resolve() == context.settings.spool.resolve():
        fail("This is the spool of this data directory: its own server delivers it.")


def _read_node(path: Path) -> str:
    """Return the id in the file of a node, empty if there is none."""
    return path.read_text(encoding="ascii") if path.exists() else ""


async def _adopt(context: CommandContext, directory: Path, node_id: str, former: str) -> None:
    """Move a recording; raises `OSError`, `ValueError` or `VisavisError` if it has to stay."""
    manifest = spool_reader.read_manifest(directory)
    if manifest.recording_id != directory.name:
        raise ValueError("its manifest has another id.")
    with spool_reader.claimed(directory) as is_ours:
        if not is_ours:
            raise ValueError("another process still writes or delivers it.")
        # First the database: if this command is killed in between, it can be given again.
        await context.recording_admin.adopt(manifest, node_id, former)
        move_into(context.settings.spool, directory)


@recordings.command("deliver-without")
@click.argument("node")
@click.argument("recording_ids", metavar="ID...", nargs=-1, required=True)
@site_option
@json_option
@with_context
async def deliver_without(
    context: CommandContext,
    node: str,
    recording_ids: tuple[str, ...],
    site: int | None,
    as_json: bool,
) -> None:
    """Deliver recordings without the packets on NODE, the id or machine of a node that is silent.

    The files will lack what was recorded there, and say so. This cannot be undone once they are
    delivered. The audit log has an entry for each recording.
    """
    who = operator(await context.site(site))
    delivered = failed = 0
    for recording_id in recording_ids:
        try:
            await context.recording_admin.deliver_without(who, recording_id, node)
            delivered += 1
        except VisavisError as error:
            click.echo(f"visavis: {recording_id}: {error.message}", err=True)
            failed += 1
    text = f"{_recordings(delivered)} will be delivered without the packets on {node}."
    show_one(RecordingsGivenUp(delivered, failed), text, as_json=as_json)
    if failed:
        sys.exit(1)


@recordings.command("verify")
@site_option
@click.option(
    "--since", metavar="AGE", help="Only calls of the last days, such as 7d; all calls if not set."
)
@json_option
@with_context
async def verify(
    context: CommandContext, site: int | None, since: str | None, as_json: bool
) -> None:
    """Check that every call that should have a recording has one that was delivered.

    Lists those that are missing; the exit status is then 1.
    """
    begin = now() - read_lifetime(since, "--since") if since else EVER
    missing = await _missing(context, site, begin)
    if missing or as_json:
        show([missing_recording_of(call) for call in missing], as_json=as_json)
    if missing:
        click.echo(f"visavis: {_recordings(len(missing))} missing.", err=True)
        sys.exit(1)
    click.echo("Every call that should have a recording has one.", err=True)


async def _missing(
    context: CommandContext, site: int | None, since: datetime
) -> Sequence[ExpectedRecording]:
    recording_admin = (await context.with_archive()).recording_admin
    every = [known.id for known in await context.accounts.sites()]
    sites = every if site is None else [await context.site(site)]
    return [
        call
        for site_id in sites
        for call in await recording_admin.missing(operator(site_id), since)
    ]


def _file_of(
    context: CommandContext, recording: RecordingStatus, report: CallReport | None
) -> Path:
    """Return the file's path on this machine; end the program if it is not here."""
    kept = context.settings.spool / recording.id
    archived = context.settings.archive_dir / "library" / str(recording.site_id)
    archived /= f"{recording.id}.mkv"
    if kept.exists():
        _require_all_pieces(context, recording)
        return _muxed(kept, report)
    if not archived.exists():
        fail(_why_not_here(recording))
    return archived


def _require_all_pieces(context: CommandContext, recording: RecordingStatus) -> None:
    """End the program if other nodes have packets that are not here."""
    own = _read_node(context.settings.node_file)
    others = [node.machine for node in recording.nodes if node.id != own]
    if own and others:
        fail(f"It also has packets on {', '.join(others)}, so its file cannot be made yet.")


def _why_not_here(recording: RecordingStatus) -> str:
    if recording.state is RecordingState.DELIVERED:
        return f"It was delivered to {recording.server_url}: fetch it there."
    if recording.state is RecordingState.EMPTY:
        return "No media were received, so there is no file."
    return "It is not in this data directory: run this where it was recorded, or choose "


"the directory with --data."


def _muxed(directory: Path, report: CallReport | None) -> Path:
    if not spool_reader.read_delivery(directory):
        answer = perform(MuxRequest(str(directory), report))
        if answer.outcome is Outcome.BUSY:
            fail("It is still being recorded or made into a file: try again in a moment.")
        if answer.outcome is not Outcome.MUXED:
            fail(
                f"It cannot be made into a file ({answer.reason}). Its journals are in {directory}."
            )
    return directory / MATROSKA


def _copy(source: Path, target: Path) -> int:
    """Copy a file, never over another one; return the number of bytes."""
    try:
        with target.open("xb") as file, source.open("rb") as original:
            shutil.copyfileobj(original, file, 1024 * 1024)
            return file.tell()
    except OSError as error:
        fail(f"{target} cannot be written: {error.strerror}.")


def _brief(recording: RecordingStatus) -> dict[str, Any]:
    return {
        "id": recording.id,
        "call": recording.call_id,
        "started": format_time(recording.started_at),
        "state": _state(recording),
        "size": recording.size,
        "uploaded": recording.uploaded,
        "attempts": recording.attempts,
        "next try": format_optional_time(recording.next_try_at),
        "error": recording.last_error,
    }


def _state(recording: RecordingStatus) -> str:
    machines = ", ".join(
        f"{node.machine} ({'stopped' if node.is_stopped else 'silent'})"
        for node in recording.awaited_nodes
    )
    return f"waiting for {machines}" if machines else str(recording.state)


def _recordings(count: int) -> str:
    return "1 recording" if count == 1 else f"{count} recordings"
