"""`visavis audit`: the audit log, its verification and its export."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

import click
from click.core import ParameterSource

from visavis.cli.context import (
    CommandContext,
    config_option,
    data_option,
    database_option,
    fail,
    json_option,
    show,
    site_option,
    with_context,
)
from visavis.clock_and_ids import new_id, now
from visavis.domain.audit import ActionType, AuditSearch
from visavis.domain.people import operator
from visavis.protocol.audit import lines
from visavis.protocol.command_line import AuditBreak, AuditPlace, AuditRow, AuditVerification
from visavis.services.audit import Anchor, AuditTrail, Verification

_ANCHOR: Final = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


@click.group(invoke_without_command=True)
@site_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--author", default="", help="Part of the agent's e-mail address or name.")
@click.option("--action", "actions", multiple=True, help="An actionType. Can be repeated.")
@click.option("--object", "object_name", default="", help="Part of the name of the object.")
@click.option("--since", type=click.DateTime(), help="Entries at or after this time (UTC).")
@click.option("--until", type=click.DateTime(), help="Entries before this time (UTC).")
@json_option
@config_option
@data_option
@database_option
@click.pass_context
def audit(context: click.Context, /, **options: Any) -> None:
    """List, verify or export the audit log; the list begins with the newest entry."""
    if context.invoked_subcommand is None:
        _list(**options)
        return
    for name in options:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"Give the options after {context.invoked_subcommand}.")


@with_context
async def _list(
    context: CommandContext,
    site: int | None,
    limit: int,
    author: str,
    actions: tuple[str, ...],
    object_name: str,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    site_id = await context.site(site)
    search = AuditSearch(
        author=author,
        actions=actions,
        object_name=object_name,
        since=since.replace(tzinfo=UTC) if since else None,
        until=until.replace(tzinfo=UTC) if until else None,
    )
    page = await context.audit.list_page(operator(site_id), 1, limit, search)
    rows = [
        AuditRow(
            time=entry.created_at.isoformat(timespec="milliseconds"),
            who=entry.author,
            action=entry.action_type,
            what=entry.summary,
            field=change.field_name if change else "",
            old=change.old_value if change else "",
            new=change.new_value if change else "",
        )
        for entry in page.entries
        for change in entry.changes or (None,)
    ]
    show(rows, as_json=as_json)


@audit.command("verify")
@site_option
@click.option(
    "--anchor",
    help="SEQUENCE:HASH that an earlier verification printed; the log must still contain it.",
)
@json_option
@with_context
async def verify(
    context: CommandContext, site: int | None, anchor: str | None, as_json: bool
) -> None:
    """Check that no entry was changed, removed or inserted; the exit status is 1 if one was.

    Without --site every site is checked.
    """
    if site is None and anchor is None:
        site_ids = [known.id for known in await context.accounts.sites()]
    else:
        site_ids = [await context.site(site)]
    place = _read_anchor(anchor)
    found = []
    for site_id in site_ids:
        progress = _Progress(site_id)
        found.append(await context.audit.verify(site_id, progress.show, place))
        progress.end()
    if as_json:
        show([_verification(one) for one in found], as_json=True)
    else:
        for one in found:
            click.echo(_sentence(one))
    if any(one.broken for one in found):
        sys.exit(1)


@audit.command("export")
@site_option
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; standard output if not given.",
)
@with_context
async def export(context: CommandContext, site: int | None, output: Path | None) -> None:
    """Write the audit log as JSON lines, oldest entry first."""
    site_id = await context.site(site)
    who, action = operator(site_id), ActionType.LOG_EXPORTED
    entry = context.auditor.entry(who, site_id, action, "audit log", "Exported the audit log")
    await AuditTrail(context.store, now, new_id).record(entry)
    try:
        if output is None:
            await _write(context, site_id, sys.stdout.buffer)
        else:
            with output.open("wb") as file:
                await _write(context, site_id, file)
    except OSError as error:
        if output is None:
            raise
        fail(f"{output} cannot be written: {error.strerror}.")


async def _write(context: CommandContext, site_id: int, file: BinaryIO) -> None:
    async for batch in context.audit.batches(site_id):
        file.write(lines(batch))
    file.flush()


class _Progress:
    """Line on a terminal that counts the entries while they are checked."""

    def __init__(self, site_id: int) -> None:
        self._site_id = site_id
        self._is_shown = False

    def show(self, count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\rSite {self._site_id}: {_entries(count)} checked", nl=False, err=True)
            self._is_shown = True

    def end(self) -> None:
        if self._is_shown:
            click.echo("", err=True)


def _read_anchor(text: str | None) -> Anchor | None:
    if text is None:
        return None
    match = _ANCHOR.fullmatch(text)
    if not match:
        fail("--anchor takes a sequence number and a hash, such as 12:0f…, as verify prints them.")
    return Anchor(int(match[1]), match[2])


def _verification(one: Verification) -> AuditVerification:
    broken = one.broken
    return AuditVerification(
        site=one.site_id,
        entries=one.checked,
        unbroken=broken is None,
        last=AuditPlace(one.sequence, one.hash),
        broken=AuditBreak(broken.sequence, broken.entry_id, broken.reason) if broken else None,
    )


def _sentence(one: Verification) -> str:
    if one.broken:
        entry = f" ({one.broken.entry_id})" if one.broken.entry_id else ""
        return (
            f"Site {one.site_id}: broken at entry {one.broken.sequence}{entry}: "
            f"{one.broken.reason}. {_entries(one.checked)} before it unbroken."
        )
    return f"Site {one.site_id}: {_entries(one.checked)}, unbroken. Last: {one.sequence}:{one.hash}"


def _entries(count: int) -> str:
    return "1 entry" if count == 1 else f"{count} entries"
