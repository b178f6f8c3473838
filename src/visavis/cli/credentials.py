"""`visavis client`, `visavis api-key`, `visavis token`: credentials of programs."""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from typing import Final

import click

from visavis.cli.context import (
    CommandContext,
    fail,
    json_option,
    show,
    show_one,
    site_option,
    with_context,
)
from visavis.domain.audit import ActionType, AuditEntry
from visavis.domain.oauth import CredentialKind, Grant
from visavis.domain.people import Agent, operator
from visavis.protocol.command_line import (
    AccessToken,
    ApiKeyRow,
    ApiKeySecret,
    ClientRow,
    ClientSecret,
)

LIFETIME: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])")
UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

grant_option = click.option(
    "--grant",
    "grants",
    multiple=True,
    required=True,
    type=click.Choice([grant.value for grant in Grant]),
    help="Grant that the client may use. Can be repeated.",
)


overlap_option = click.option(
    "--overlap",
    default="24h",
    show_default=True,
    help="Time for which the old one stays valid, such as 15m, 24h or 7d; 0 ends it at once.",
)


@click.group()
def client() -> None:
    """OAuth 2 clients: programs that may request tokens."""


@client.command("add")
@click.argument("name")
@grant_option
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="Can be given again.")
@click.option(
    "--public",
    "is_public",
    is_flag=True,
    help="A client that cannot keep a secret, such as an app or a page.",
)
@click.option(
    "--acts-as",
    metavar="EMAIL",
    help="E-mail address of the agent for whom client_credentials acts.",
)
@site_option
@json_option
@with_context
async def add_client(
    context: CommandContext,
    name: str,
    grants: tuple[str, ...],
    redirect_uris: tuple[str, ...],
    is_public: bool,
    acts_as: str | None,
    site: int | None,
    as_json: bool,
) -> None:
    """Add a client and print its id and its secret, which is not shown again."""
    added, secret = await context.clients.add(
        await context.site(site),
        name,
        grants=map(Grant, grants),
        redirect_uris=redirect_uris,
        is_public=is_public,
        acts_as=await context.people.by_email(acts_as) if acts_as else None,
    )
    output = ClientSecret(added.id)
    text = f"client_id      {added.id}"
    if secret:
        output.client_secret = secret
        text += f"\nclient_secret  {secret}  (not shown again)"
    show_one(output, text, as_json=as_json)


@client.command("list")
@site_option
@json_option
@with_context
async def list_clients(context: CommandContext, site: int | None, as_json: bool) -> None:
    """List a site's clients."""
    rows = [
        ClientRow(
            client_id=c.id,
            name=c.name,
            public=c.is_public,
            grants=sorted(c.grants),
            redirect_uris=list(c.redirect_uris),
            disabled=c.is_disabled,
        )
        for c in await context.clients.list_by_site(await context.site(site))
    ]
    show(rows, as_json=as_json)


@client.command("set-grants")
@click.argument("client_id")
@grant_option
@site_option
@with_context
async def set_client_grants(
    context: CommandContext, client_id: str, grants: tuple[str, ...], site: int | None
) -> None:
    """Replace the grants that a client may use."""
    await context.clients.set_grants(await context.site(site), client_id, map(Grant, grants))


@client.command("rotate-secret")
@click.argument("client_id")
@overlap_option
@site_option
@json_option
@with_context
async def rotate_secret(
    context: CommandContext, client_id: str, overlap: str, site: int | None, as_json: bool
) -> None:
    """Replace a client's secret and print the new one. It is not shown again."""
    site_id, lasting = await context.site(site), read_overlap(overlap)
    secret = await context.clients.rotate_secret(site_id, client_id, lasting)
    text = f"client_secret  {secret}  (not shown again)"
    show_one(ClientSecret(client_id, secret), text, as_json=as_json)


@client.command("disable")
@click.argument("client_id")
@site_option
@with_context
async def disable_client(context: CommandContext, client_id: str, site: int | None) -> None:
    """Refuse a client and revoke its tokens."""
    await context.clients.disable(await context.site(site), client_id, is_disabled=True)


@client.command("enable")
@click.argument("client_id")
@site_option
@with_context
async def enable_client(context: CommandContext, client_id: str, site: int | None) -> None:
    """Enable a disabled client again."""
    await context.clients.disable(await context.site(site), client_id, is_disabled=False)


@click.group("api-key")
def api_key() -> None:
    """API keys, for HTTP Basic with an agent's e-mail address."""


@api_key.command("add")
@click.argument("email")
@click.option("--name", default="API key", show_default=True, help="Purpose of the key.")
@json_option
@with_context
async def add_key(context: CommandContext, email: str, name: str, as_json: bool) -> None:
    """Add an API key for an agent and print it. It is not shown again."""
    added, secret = await context.keys.add(await context.people.by_email(email), name)
    text = f"id   {added.id}\nkey  {secret}  (not shown again)"
    show_one(ApiKeySecret(added.id, secret), text, as_json=as_json)


@api_key.command("rotate")
@click.argument("key_id")
@overlap_option
@site_option
@json_option
@with_context
async def rotate_key(
    context: CommandContext, key_id: str, overlap: str, site: int | None, as_json: bool
) -> None:
    """Replace an API key and print the new one. It is not shown again."""
    site_id, lasting = await context.site(site), read_overlap(overlap)
    added, secret = await context.keys.rotate(site_id, key_id, lasting)
    text = f"id   {added.id}\nkey  {secret}  (not shown again)"
    show_one(ApiKeySecret(added.id, secret), text, as_json=as_json)


@api_key.command("list")
@site_option
@json_option
@with_context
async def list_keys(context: CommandContext, site: int | None, as_json: bool) -> None:
    """List a site's keys."""
    site_id = await context.site(site)
    emails = {agent.id: agent.email for agent in await context.accounts.agents(site_id)}
    rows = [
        ApiKeyRow(
            id=k.id,
            name=k.name,
            agent=emails[k.agent_id],
            created=k.created_at.isoformat(timespec="seconds"),
            ends=k.expires_at.isoformat(timespec="seconds") if k.expires_at else "",
        )
        for k in await context.keys.list_by_site(site_id)
    ]
    show(rows, as_json=as_json)


@api_key.command("delete")
@click.argument("key_id")
@site_option
@with_context
async def delete_key(context: CommandContext, key_id: str, site: int | None) -> None:
    """Delete a key: it is refused from now on."""
    await context.keys.delete(await context.site(site), key_id)


@click.group()
def token() -> None:
    """Bearer tokens for the REST API."""


@token.command("issue")
@click.option(
    "--email", required=True, help="E-mail address of the agent for whom the token is issued."
)
@click.option(
    "--expires", default="12h", show_default=True, help="Lifetime, such as 90s, 15m, 12h or 30d."
)
@json_option
@with_context
async def issue(context: CommandContext, email: str, expires: str, as_json: bool) -> None:
    """Print a bearer token and nothing else."""
    lifetime = read_lifetime(expires, "--expires")
    agent = await context.people.by_email(email)
    entry = _token_entry(context, agent, ActionType.TOKEN_ISSUED, "Issued")
    token = await context.tokens.issue(agent, CredentialKind.BEARER, lifetime, entry)
    seconds = int(lifetime.total_seconds())
    show_one(AccessToken(token, seconds), token, as_json=as_json)


@token.command("rotate")
@overlap_option
@json_option
@with_context
async def rotate(context: CommandContext, overlap: str, as_json: bool) -> None:
    """Replace the token on standard input; prints one that is valid for as long as it was."""
    given, lasting = sys.stdin.readline().strip(), read_overlap(overlap)

    def entry_of(agent: Agent) -> AuditEntry:
        return _token_entry(context, agent, ActionType.TOKEN_ROTATED, "Replaced")

    token = await context.tokens.rotate(given, lasting, entry_of)
    show_one(AccessToken(token), token, as_json=as_json)


@token.command("revoke")
@with_context
async def revoke(context: CommandContext) -> None:
    """Revoke the token on standard input; the exit status is 1 if there is no such token."""
    token = sys.stdin.readline().strip()

    def entry_of(agent: Agent) -> AuditEntry:
        return _token_entry(context, agent, ActionType.TOKEN_REVOKED, "Revoked")

    if not await context.tokens.revoke(token, entry_of):
        fail("There is no such token.")


def _token_entry(
    context: CommandContext, agent: Agent, action: ActionType, done: str
) -> AuditEntry:
    author, name = operator(agent.site_id), f"agent {agent.email}"
    summary = f"{done} a token of {agent.email}"
    return context.auditor.entry(author, agent.site_id, action, name, summary)


def read_overlap(text: str) -> timedelta:
    """Return how long a replaced secret stays valid."""
    return timedelta() if text == "0" else read_lifetime(text, "--overlap")


def read_lifetime(text: str, option: str) -> timedelta:
    """A number and its unit; ends the program where it is none."""
    match = LIFETIME.fullmatch(text)
    if not match:
        fail(f"{option} requires a number and one of s, m, h, d, such as 12h.")
    return timedelta(**{UNITS[match[2]]: int(match[1])})
