"""`visavis nodes`: the nodes that share the database, what they do and which are silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final

import click
from click.core import ParameterSource

from visavis.cli.context import (
    CommandContext,
    config_option,
    data_option,
    database_option,
    json_option,
    show,
    show_one,
    show_table,
    with_context,
)
from visavis.domain.jobs import JobLease
from visavis.domain.membership import BeatWatch, Member, MemberState
from visavis.protocol.command_line import NodeDrain, NodeRow
from visavis.protocol.wire import format_time

LOOK_SECONDS: Final = 0.25
"""Interval at which the beats are read, until each node is known to be alive or silent."""


@click.group(invoke_without_command=True)
@json_option
@config_option
@data_option
@database_option
@click.pass_context
def nodes(context: click.Context, /, **options: Any) -> None:
    """List the nodes that share the database, and whether they are running.

    The list takes one to three seconds, in which each node has to be heard.
    """
    if context.invoked_subcommand is None:
        _list(**options)
        return
    for name in options:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"Give the options after {context.invoked_subcommand}.")


@nodes.command("drain")
@click.argument("node")
@json_option
@with_context
async def drain(context: CommandContext, node: str, as_json: bool) -> None:
    """Let NODE, the id or machine of a node, take no new calls.

    Its calls move to other nodes without a gap, while there are any, and so do the sites and pages
    of a node with an app. It stays so until "undrain", also after a restart. In the list it is
    "draining", and "drained" once it has no calls and pages. The audit log of each site has an
    entry.
    """
    member = await context.node_admin.drain(node)
    text = f"{member.machine} takes no new calls, and its calls move to other nodes."
    show_one(NodeDrain(member.node_id, member.machine, is_drained=True), text, as_json=as_json)


@nodes.command("undrain")
@click.argument("node")
@json_option
@with_context
async def undrain(context: CommandContext, node: str, as_json: bool) -> None:
    """Let NODE, the id or machine of a node, take new calls again."""
    member = await context.node_admin.undrain(node)
    text = f"{member.machine} takes new calls again."
    show_one(NodeDrain(member.node_id, member.machine, is_drained=False), text, as_json=as_json)


@with_context
async def _list(context: CommandContext, as_json: bool) -> None:
    watch = await _watched(context)
    leases = await context.store.read(lambda rows: rows.jobs.all())
    sites = await context.store.read(lambda rows: rows.site_owners.count_by_node())
    rows = [
        _row(one, leases, sites.get(one.node_id, 0), is_alive=watch.is_alive(one.node_id))
        for one in watch.members
    ]
    if as_json:
        show(rows, as_json=True)
    else:
        show_table([_brief(row) for row in rows])


async def _watched(context: CommandContext) -> BeatWatch:
    watch, is_first = BeatWatch(), True
    while is_first or not watch.is_decided:
        if not is_first:
            await asyncio.sleep(LOOK_SECONDS)
        is_first = False
        watch.observe(await context.store.read(lambda rows: rows.members.all()), time.monotonic())
    return watch


def _row(member: Member, leases: Sequence[JobLease], sites: int, *, is_alive: bool) -> NodeRow:
    load = member.load
    return NodeRow(
        id=member.node_id,
        machine=member.machine,
        url=member.url,
        state=member.state.value if is_alive or member.state is MemberState.STOPPED else "silent",
        version=member.version,
        since=format_time(member.started_at),
        roles=list(member.roles),
        calls=load.calls,
        pages=load.pages,
        media_workers=load.media_workers,
        bridges=load.bridges,
        sites=sites,
        jobs=[lease.name for lease in leases if lease.holder == member.node_id],
    )


def _brief(row: NodeRow) -> dict[str, object]:
    return {
        "id": row.id,
        "machine": row.machine,
        "url": row.url,
        "roles": ",".join(row.roles),
        "state": row.state,
        "version": row.version,
        "since": row.since,
        "calls": row.calls,
        "pages": row.pages,
        "media": _media(row),
        "sites": row.sites,
        "jobs": row.jobs,
    }


def _media(row: NodeRow) -> str:
    others = "" if "app" in row.roles else " for other nodes"
    return f"{row.bridges} bridges in {row.media_workers} workers{others}"
