"""`visavis site`, `visavis agent`, `visavis role`."""

from __future__ import annotations

import sys

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
from visavis.domain.people import Agent, Permission
from visavis.protocol.command_line import (
    AgentAdded,
    AgentPassword,
    AgentPermissions,
    AgentRow,
    RoleAdded,
    RoleRow,
    SiteAdded,
    SiteRow,
)
from visavis.services.accounts import read_permission

permissions_argument = click.argument("permissions", nargs=-1, required=True)
permission_option = click.option(
    "--permission", "permissions", multiple=True, help="A permission, such as 'Manage Settings'."
)
password_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input."
)


@click.group()
def site() -> None:
    """Sites: each has its own visitors, agents and settings."""


@site.command("add")
@click.argument("name")
@json_option
@with_context
async def add_site(context: CommandContext, name: str, as_json: bool) -> None:
    """Add a site."""
    added = await context.accounts.add_site(name)
    text = f"Site {added.id}: {added.name}. Add an agent: visavis agent add --site {added.id}"
    show_one(SiteAdded(added.id, added.name), text, as_json=as_json)


@site.command("list")
@json_option
@with_context
async def list_sites(context: CommandContext, as_json: bool) -> None:
    """List the sites."""
    sites = await context.accounts.sites()
    show([SiteRow(site.id, site.name, site.is_disabled) for site in sites], as_json=as_json)


@site.command("disable")
@click.argument("site_id", type=int)
@with_context
async def disable_site(context: CommandContext, site_id: int) -> None:
    """Disable a site: sign its agents out and hide its call buttons."""
    await context.accounts.disable_site(site_id, is_disabled=True)


@site.command("enable")
@click.argument("site_id", type=int)
@with_context
async def enable_site(context: CommandContext, site_id: int) -> None:
    """Enable a disabled site again."""
    await context.accounts.disable_site(site_id, is_disabled=False)


@click.group()
def agent() -> None:
    """Agents: the people and programs that work for a site."""


@agent.command("add")
@click.argument("email")
@site_option
@click.option(
    "--name", default="", help="Name that visitors see; taken from the e-mail address if not given."
)
@click.option("--administrator", "is_administrator", is_flag=True, help="Grant every permission.")
@permission_option
@password_option
@json_option
@with_context
async def add_agent(
    context: CommandContext,
    email: str,
    site: int | None,
    name: str,
    is_administrator: bool,
    permissions: tuple[str, ...],
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Add an agent and print the generated password."""
    added, password = await context.accounts.add_agent(
        await context.site(site),
        email,
        name=name,
        password=_given_password(password_stdin),
        is_administrator=is_administrator,
        permissions=_read(permissions),
    )
    output = AgentAdded(added.id, added.email, added.site_id)
    text = f"Agent {added.email} of site {added.site_id}."
    if not password_stdin:
        output.password = password
        text += f"\nPassword (not shown again): {password}"
    show_one(output, text, as_json=as_json)


@agent.command("list")
@site_option
@json_option
@with_context
async def list_agents(context: CommandContext, site: int | None, as_json: bool) -> None:
    """List a site's agents."""
    agents = await context.accounts.agents(await context.site(site))
    rows = [
        AgentRow(
            id=a.id,
            email=a.email,
            name=a.name,
            administrator=a.is_administrator,
            roles=list(a.roles),
            permissions=_names(a.permissions),
            disabled=a.is_disabled,
        )
        for a in agents
    ]
    show(rows, as_json=as_json)


@agent.command("grant")
@click.argument("email")
@permissions_argument
@json_option
@with_context
async def grant_agent(
    context: CommandContext, email: str, permissions: tuple[str, ...], as_json: bool
) -> None:
    """Grant permissions to an agent."""
    _show_permissions(await context.accounts.grant(email, _read(permissions)), as_json=as_json)


@agent.command("revoke")
@click.argument("email")
@permissions_argument
@json_option
@with_context
async def revoke_agent(
    context: CommandContext, email: str, permissions: tuple[str, ...], as_json: bool
) -> None:
    """Revoke permissions; a role may still grant them."""
    _show_permissions(await context.accounts.revoke(email, _read(permissions)), as_json=as_json)


@agent.command("disable")
@click.argument("email")
@with_context
async def disable_agent(context: CommandContext, email: str) -> None:
    """Disable an agent: sign them out everywhere and refuse further sign-ins."""
    await context.accounts.disable_agent(email, is_disabled=True)


@agent.command("enable")
@click.argument("email")
@with_context
async def enable_agent(context: CommandContext, email: str) -> None:
    """Enable a disabled agent again."""
    await context.accounts.disable_agent(email, is_disabled=False)


@agent.command("password")
@click.argument("email")
@password_option
@json_option
@with_context
async def set_password(
    context: CommandContext, email: str, password_stdin: bool, as_json: bool
) -> None:
    """Set a new password and sign the agent out everywhere."""
    password = await context.accounts.set_password(email, _given_password(password_stdin))
    if not password_stdin:
        text = f"Password (not shown again): {password}"
        show_one(AgentPassword(email, password), text, as_json=as_json)
    elif as_json:
        show_one(AgentPassword(email), "", as_json=True)


@click.group()
def role() -> None:
    """Roles: named sets of permissions for several agents."""


@role.command("add")
@click.argument("name")
@site_option
@permission_option
@json_option
@with_context
async def add_role(
    context: CommandContext,
    name: str,
    site: int | None,
    permissions: tuple[str, ...],
    as_json: bool,
) -> None:
    """Add a role."""
    added = await context.accounts.add_role(await context.site(site), name, _read(permissions))
    text = f"Role {added.name} of site {added.site_id}."
    show_one(RoleAdded(added.name, added.site_id), text, as_json=as_json)


@role.command("list")
@site_option
@json_option
@with_context
async def list_roles(context: CommandContext, site: int | None, as_json: bool) -> None:
    """List a site's roles."""
    roles = await context.accounts.roles(await context.site(site))
    show([RoleRow(role.name, _names(role.permissions)) for role in roles], as_json=as_json)


@role.command("grant")
@click.argument("name")
@permissions_argument
@site_option
@with_context
async def grant_role(
    context: CommandContext, name: str, permissions: tuple[str, ...], site: int | None
) -> None:
    """Grant permissions to a role."""
    await context.accounts.grant_role(await context.site(site), name, _read(permissions))


@role.command("revoke")
@click.argument("name")
@permissions_argument
@site_option
@with_context
async def revoke_role(
    context: CommandContext, name: str, permissions: tuple[str, ...], site: int | None
) -> None:
    """Revoke permissions from a role."""
    await context.accounts.revoke_role(await context.site(site), name, _read(permissions))


@role.command("assign")
@click.argument("name")
@click.argument("email")
@site_option
@with_context
async def assign_role(context: CommandContext, name: str, email: str, site: int | None) -> None:
    """Give a role to an agent."""
    await context.accounts.assign(await context.site(site), name, email)


@role.command("unassign")
@click.argument("name")
@click.argument("email")
@site_option
@with_context
async def unassign_role(context: CommandContext, name: str, email: str, site: int | None) -> None:
    """Take a role from an agent."""
    await context.accounts.unassign(await context.site(site), name, email)


def _read(permissions: tuple[str, ...]) -> list[Permission]:
    return [read_permission(text) for text in permissions]


def _names(permissions: frozenset[Permission]) -> list[str]:
    return sorted(permission.value for permission in permissions)


def _show_permissions(agent: Agent, *, as_json: bool) -> None:
    names = _names(agent.permissions)
    text = f"{agent.email} may: {', '.join(names) or 'nothing'}."
    show_one(AgentPermissions(agent.email, names), text, as_json=as_json)


def _given_password(is_given: bool) -> str | None:
    """Read the password from standard input if it is given there; end the program on none."""
    if not is_given:
        return None
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        fail("There is no password on standard input.")
    return password
