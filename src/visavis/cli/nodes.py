"""`visavis nodes`: the nodes that share the database, what they do and which are silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import click

from visavis.cli.context import CommandContext, json_option, show, show_table, with_context
from visavis.domain.jobs import JobLease
from visavis.domain.membership import BeatWatch, Member
from visavis.protocol.command_line import NodeRow
from visavis.protocol.wire import format_time

LOOK_SECONDS: Final = 0.25
"""Interval at which the beats are read, until each node is known to be alive or silent."""


@click.command("nodes")
@json_option
@with_context
async def nodes(context: CommandContext, as_json: bool) -> None:
    """List the nodes that share the database, and whether they are running.

    This takes one to three seconds, in which each node has to be heard.
    """
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
        state=member.state.value if is_alive else "silent",
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
    if "app" not in row.roles:  # the apps that control them count their bridges
        return f"{row.media_workers} workers for other nodes"
    return f"{row.bridges} bridges in {row.media_workers} workers"
