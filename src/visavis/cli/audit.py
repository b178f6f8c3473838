"""`visavis audit`: who changed what."""

from __future__ import annotations

import click

from visavis.cli.office import Office, at_office, json_option, show, site_option
from visavis.domain.people import operator


@click.command()
@site_option
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@at_office
async def audit(office: Office, site: int | None, limit: int, as_json: bool) -> None:
    """List who changed a site's configuration, newest first."""
    site_id = await office.site(site)
    page = await office.audit.newest(operator(site_id), 1, limit)
    rows = [
        {
            "time": entry.created_at.isoformat(timespec="milliseconds"),
            "who": page.email_of(entry) or "command line",
            "field": change.field_name,
            "old": change.old_value,
            "new": change.new_value,
        }
        for entry in page.entries
        for change in entry.changes
    ]
    show(rows, as_json=as_json)
