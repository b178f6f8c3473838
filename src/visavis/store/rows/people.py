"""Sites, agents, roles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, text, union, update

from visavis.domain.audit import NO_HASH
from visavis.domain.changes import rights_changed
from visavis.domain.people import Agent, Permission, Role, Site
from visavis.store import tables as t
from visavis.store.rows.base import Rows


class SqlSiteRows(Rows):
    def lock(self) -> None:
        if self._is_postgresql:  # in SQLite a writer is alone anyway
            self._run(text("LOCK TABLE sites IN SHARE ROW EXCLUSIVE MODE"))

    def get(self, site_id: int) -> Site | None:
        row = self._run(select(t.sites).where(t.sites.c.id == site_id)).first()
        return _site(row) if row else None

    def all(self) -> Sequence[Site]:
        return [_site(row) for row in self._run(select(t.sites).order_by(t.sites.c.id))]

    def add(self, name: str, now: datetime) -> Site:
        self.lock()
        site_id = self._run(select(func.coalesce(func.max(t.sites.c.id), 0) + 1)).scalar_one()
        self._run(insert(t.sites).values(id=site_id, name=name, created_at=now, is_disabled=False))
        self._run(
            insert(t.av_configs).values(
                site_id=site_id, is_enabled=False, is_recording=False, version=0
            )
        )
        self._run(
            insert(t.audit_chains).values(
                site_id=site_id,
                sequence=0,
                hash=NO_HASH,
                removed_sequence=0,
                removed_hash=NO_HASH,
            )
        )
        return Site(site_id, name)

    def disable(self, site_id: int, *, is_disabled: bool) -> None:
        self._run(update(t.sites).where(t.sites.c.id == site_id).values(is_disabled=is_disabled))
        self._changed(rights_changed(site_id))


class SqlAgentRows(Rows):
    def get(self, site_id: int, agent_id: int) -> Agent | None:
        c = t.agents.c
        return self._agent(_agents().where(c.site_id == site_id, c.id == agent_id))

    def by_email(self, email: str) -> Agent | None:
        return self._agent(_agents().where(t.agents.c.email == email.casefold()))

    def list_by_site(self, site_id: int) -> Sequence[Agent]:
        query = _agents().where(t.agents.c.site_id == site_id).order_by(t.agents.c.email)
        return [self._complete(row) for row in self._run(query).all()]

    def password_hash(self, site_id: int, agent_id: int) -> str:
        c = t.agents.c
        query = select(c.password_hash).where(c.site_id == site_id, c.id == agent_id)
        return str(self._run(query).scalar_one())

    def has_signed_in(self, site_id: int, agent_id: int) -> bool:
        c = t.agents.c
        query = select(c.signed_in_at).where(c.site_id == site_id, c.id == agent_id)
        return self._run(query).scalar() is not None

    def mark_signed_in(self, site_id: int, agent_id: int, now: datetime) -> None:
        c = t.agents.c
        is_first = c.signed_in_at.is_(None)
        query = update(t.agents).where(c.site_id == site_id, c.id == agent_id, is_first)
        self._run(query.values(signed_in_at=now))

    def first_sign_in_pending(self, site_id: int) -> str | None:
        c = t.agents.c
        of_site = select(c.email).where(c.site_id == site_id)
        if self._run(of_site.where(c.signed_in_at.is_not(None)).limit(1)).first():
            return None
        query = of_site.where(c.is_administrator, ~c.is_disabled).order_by(c.id).limit(1)
        email = self._run(query).scalar()
        return str(email) if email else None

    def add(
        self, site_id: int, email: str, name: str, password_hash: str, *, is_administrator: bool
    ) -> Agent:
        values = {
            "site_id": site_id,
            "email": email.casefold(),
            "name": name,
            "password_hash": password_hash,
            "is_administrator": is_administrator,
            "is_disabled": False,
        }
        new_id = self._run(insert(t.agents).values(values).returning(t.agents.c.id)).scalar_one()
        return Agent(new_id, site_id, email.casefold(), name, is_administrator)

    def set_password(self, site_id: int, agent_id: int, password_hash: str) -> None:
        self._set(site_id, agent_id, password_hash=password_hash)

    def disable(self, site_id: int, agent_id: int, *, is_disabled: bool) -> None:
        self._set(site_id, agent_id, is_disabled=is_disabled)

    def is_away(self, site_id: int, agent_id: int) -> bool:
        c = t.agents.c
        query = select(c.is_away).where(c.site_id == site_id, c.id == agent_id)
        return bool(self._run(query).scalar())

    def set_away(self, site_id: int, agent_id: int, *, is_away: bool) -> None:
        c = t.agents.c
        query = update(t.agents).where(c.site_id == site_id, c.id == agent_id)
        self._run(query.values(is_away=is_away))

    def grant(self, site_id: int, agent_id: int, permissions: Iterable[Permission]) -> None:
        for permission in permissions:
            values = {"site_id": site_id, "agent_id": agent_id, "permission": permission.value}
            self._run(self._upsert(t.agent_permissions).values(values).on_conflict_do_nothing())
        self._changed(rights_changed(site_id, agent_id))

    def revoke(self, site_id: int, agent_id: int, permissions: Iterable[Permission]) -> None:
        c = t.agent_permissions.c
        is_meant = c.permission.in_([permission.value for permission in permissions])
        query = delete(t.agent_permissions)
        self._run(query.where(c.site_id == site_id, c.agent_id == agent_id, is_meant))
        self._changed(rights_changed(site_id, agent_id))

    def _set(self, site_id: int, agent_id: int, **values: Any) -> None:
        c = t.agents.c
        self._run(update(t.agents).where(c.site_id == site_id, c.id == agent_id).values(values))
        self._changed(rights_changed(site_id, agent_id))

    def _agent(self, query: Select[Any]) -> Agent | None:
        row = self._run(query).first()
        return self._complete(row) if row else None

    def _complete(self, row: Row[Any]) -> Agent:
        site_id, agent_id = row.site_id, row.id
        own, given, member = t.agent_permissions.c, t.role_permissions.c, t.agent_roles.c
        of_agent = select(own.permission).where(own.site_id == site_id, own.agent_id == agent_id)
        of_roles = (
            select(given.permission)
            .join(t.agent_roles, member.role_id == given.role_id)
            .where(member.site_id == site_id, member.agent_id == agent_id)
        )
        roles = (
            select(t.roles.c.name)
            .join(t.agent_roles, member.role_id == t.roles.c.id)
            .where(member.site_id == site_id, member.agent_id == agent_id)
            .order_by(t.roles.c.name)
        )
        return Agent(
            agent_id,
            site_id,
            row.email,
            row.name,
            row.is_administrator,
            frozenset(map(Permission, self._run(union(of_agent, of_roles)).scalars())),
            tuple(self._run(roles).scalars()),
            row.is_disabled or row.is_site_disabled,
        )


class SqlRoleRows(Rows):
    def list_by_site(self, site_id: int) -> Sequence[Role]:
        query = select(t.roles).where(t.roles.c.site_id == site_id).order_by(t.roles.c.name)
        return [self._complete(row) for row in self._run(query).all()]

    def by_name(self, site_id: int, name: str) -> Role | None:
        c = t.roles.c
        row = self._run(select(t.roles).where(c.site_id == site_id, c.name == name)).first()
        return self._complete(row) if row else None

    def add(self, site_id: int, name: str) -> Role:
        statement = insert(t.roles).values(site_id=site_id, name=name).returning(t.roles.c.id)
        return Role(self._run(statement).scalar_one(), site_id, name)

    def grant(self, site_id: int, role_id: int, permissions: Iterable[Permission]) -> None:
        for permission in permissions:
            values = {"site_id": site_id, "role_id": role_id, "permission": permission.value}
            self._run(self._upsert(t.role_permissions).values(values).on_conflict_do_nothing())
        self._changed(rights_changed(site_id))

    def revoke(self, site_id: int, role_id: int, permissions: Iterable[Permission]) -> None:
        c = t.role_permissions.c
        is_meant = c.permission.in_([permission.value for permission in permissions])
        query = delete(t.role_permissions)
        self._run(query.where(c.site_id == site_id, c.role_id == role_id, is_meant))
        self._changed(rights_changed(site_id))

    def assign(self, site_id: int, role_id: int, agent_id: int) -> None:
        values = {"site_id": site_id, "role_id": role_id, "agent_id": agent_id}
        self._run(self._upsert(t.agent_roles).values(values).on_conflict_do_nothing())
        self._changed(rights_changed(site_id, agent_id))

    def unassign(self, site_id: int, role_id: int, agent_id: int) -> None:
        c = t.agent_roles.c
        query = delete(t.agent_roles)
        self._run(query.where(c.site_id == site_id, c.role_id == role_id, c.agent_id == agent_id))
        self._changed(rights_changed(site_id, agent_id))

    def _complete(self, row: Row[Any]) -> Role:
        c = t.role_permissions.c
        query = select(c.permission).where(c.site_id == row.site_id, c.role_id == row.id)
        granted = frozenset(map(Permission, self._run(query).scalars()))
        return Role(row.id, row.site_id, row.name, granted)


def _site(row: Row[Any]) -> Site:
    return Site(row.id, row.name, row.is_disabled)


def _agents() -> Select[Any]:
    disabled = t.sites.c.is_disabled.label("is_site_disabled")
    return select(t.agents, disabled).join(t.sites, t.sites.c.id == t.agents.c.site_id)
