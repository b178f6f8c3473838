"""Tokens, codes, clients, API keys. Secrets are here as SHA-256 only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, or_, select, update

from visavis.domain.changes import rights_changed
from visavis.domain.oauth import (
    ApiKey,
    AuthorizationCode,
    Client,
    Credential,
    CredentialKind,
    Grant,
)
from visavis.store import tables as t
from visavis.store.rows.base import Rows


class SqlCredentialRows(Rows):
    def add(self, credential: Credential) -> None:
        self._run(
            insert(t.credentials).values(
                digest=credential.digest,
                site_id=credential.site_id,
                agent_id=credential.agent_id,
                kind=credential.kind.value,
                created_at=credential.created_at,
                expires_at=credential.expires_at,
                client_id=credential.client_id,
                family_id=credential.family_id,
                scope=credential.scope,
                used_at=credential.used_at,
                device=credential.device,
                address=credential.address,
                last_used_at=credential.last_used_at,
            )
        )

    def find(self, digest: bytes) -> Credential | None:
        row = self._run(select(t.credentials).where(t.credentials.c.digest == digest)).first()
        return _credential(row) if row else None

    def sessions_of_agent(self, site_id: int, agent_id: int) -> Sequence[Credential]:
        c = t.credentials.c
        is_session = c.kind == CredentialKind.SESSION.value
        query = select(t.credentials).where(c.site_id == site_id, c.agent_id == agent_id)
        return [_credential(row) for row in self._run(query.where(is_session))]

    def unused_sessions(self, before: datetime) -> Sequence[Credential]:
        c = t.credentials.c
        is_session = c.kind == CredentialKind.SESSION.value
        is_unused = func.coalesce(c.last_used_at, c.created_at) < before
        query = select(t.credentials).where(is_session, is_unused)
        return [_credential(row) for row in self._run(query)]

    def touch(self, digest: bytes, moment: datetime) -> None:
        c = t.credentials.c
        is_later = or_(c.last_used_at.is_(None), c.last_used_at < moment)
        query = update(t.credentials).where(c.digest == digest, is_later)
        self._run(query.values(last_used_at=moment))

    def use(self, digest: bytes, now: datetime) -> bool:
        c = t.credentials.c
        unused = update(t.credentials).where(c.digest == digest, c.used_at.is_(None))
        return bool(self._run(unused.values(used_at=now)).rowcount)

    def expire(self, digest: bytes, moment: datetime) -> None:
        c = t.credentials.c
        is_later = c.expires_at > moment
        query = update(t.credentials).where(c.digest == digest, is_later)
        query = query.values(expires_at=moment)
        self._rights_changed(self._run(query.returning(c.site_id, c.agent_id)))

    def delete(self, digest: bytes) -> bool:
        return bool(self._delete(t.credentials.c.digest == digest))

    def delete_family(self, site_id: int, family_id: str) -> None:
        c = t.credentials.c
        self._delete(c.site_id == site_id, c.family_id == family_id)

    def delete_of_client(self, site_id: int, client_id: str) -> None:
        c = t.credentials.c
        self._delete(c.site_id == site_id, c.client_id == client_id)

    def delete_of_agent(self, site_id: int, agent_id: int) -> None:
        c = t.credentials.c
        self._delete(c.site_id == site_id, c.agent_id == agent_id)

    def delete_expired(self, now: datetime) -> None:
        self._run(delete(t.credentials).where(t.credentials.c.expires_at < now))

    def _delete(self, *is_meant: ColumnElement[bool]) -> int:
        c = t.credentials.c
        query = delete(t.credentials).where(*is_meant).returning(c.site_id, c.agent_id)
        return self._rights_changed(self._run(query))


class SqlCodeRows(Rows):
    def add(self, code: AuthorizationCode) -> None:
        self._run(
            insert(t.authorization_codes).values(
                digest=code.digest,
                site_id=code.site_id,
                agent_id=code.agent_id,
                client_id=code.client_id,
                family_id=code.family_id,
                redirect_uri=code.redirect_uri,
                scope=code.scope,
                code_challenge=code.code_challenge,
                expires_at=code.expires_at,
                used_at=code.used_at,
            )
        )

    def find(self, digest: bytes) -> AuthorizationCode | None:
        c = t.authorization_codes.c
        row = self._run(select(t.authorization_codes).where(c.digest == digest)).first()
        return AuthorizationCode(**row._mapping) if row else None

    def use(self, digest: bytes, now: datetime) -> bool:
        c = t.authorization_codes.c
        unused = update(t.authorization_codes).where(c.digest == digest, c.used_at.is_(None))
        return bool(self._run(unused.values(used_at=now)).rowcount)

    def delete_expired(self, now: datetime) -> None:
        c = t.authorization_codes.c
        self._run(delete(t.authorization_codes).where(c.expires_at < now))


class SqlClientRows(Rows):
    def find(self, client_id: str) -> Client | None:
        row = self._run(select(t.clients).where(t.clients.c.id == client_id)).first()
        return _client(row) if row else None

    def list_by_site(self, site_id: int) -> Sequence[Client]:
        c = t.clients.c
        query = select(t.clients).where(c.site_id == site_id).order_by(c.created_at, c.id)
        return [_client(row) for row in self._run(query)]

    def add(self, client: Client, now: datetime) -> None:
        self._run(
            insert(t.clients).values(
                id=client.id,
                site_id=client.site_id,
                name=client.name,
                secret_digest=client.secret_digest,
                redirect_uris=list(client.redirect_uris),
                grants=_grant_words(client.grants),
                agent_id=client.agent_id,
                is_disabled=client.is_disabled,
                created_at=now,
            )
        )

    def set_grants(self, site_id: int, client_id: str, grants: Iterable[Grant]) -> None:
        self._set(site_id, client_id, grants=_grant_words(grants))

    def disable(self, site_id: int, client_id: str, *, is_disabled: bool) -> None:
        self._set(site_id, client_id, is_disabled=is_disabled)

    def replace_secret(
        self, client: Client, secret_digest: bytes, old_expires_at: datetime | None
    ) -> None:
        self._set(
            client.site_id,
            client.id,
            secret_digest=secret_digest,
            old_secret_digest=client.secret_digest if old_expires_at else None,
            old_secret_expires_at=old_expires_at,
        )

    def _set(self, site_id: int, client_id: str, **values: Any) -> None:
        c = t.clients.c
        self._run(update(t.clients).where(c.site_id == site_id, c.id == client_id).values(values))
        self._changed(rights_changed(site_id))


class SqlKeyRows(Rows):
    def find(self, digest: bytes) -> ApiKey | None:
        row = self._run(select(t.api_keys).where(t.api_keys.c.digest == digest)).first()
        return ApiKey(**row._mapping) if row else None

    def list_by_site(self, site_id: int) -> Sequence[ApiKey]:
        c = t.api_keys.c
        query = select(t.api_keys).where(c.site_id == site_id).order_by(c.created_at, c.id)
        return [ApiKey(**row._mapping) for row in self._run(query)]

    def add(self, key: ApiKey) -> None:
        self._run(
            insert(t.api_keys).values(
                id=key.id,
                site_id=key.site_id,
                agent_id=key.agent_id,
                name=key.name,
                digest=key.digest,
                created_at=key.created_at,
                expires_at=key.expires_at,
            )
        )

    def expire(self, site_id: int, key_id: str, moment: datetime) -> None:
        c = t.api_keys.c
        query = update(t.api_keys).where(c.site_id == site_id, c.id == key_id)
        query = query.values(expires_at=moment)
        self._rights_changed(self._run(query.returning(c.site_id, c.agent_id)))

    def delete_expired(self, now: datetime) -> None:
        self._run(delete(t.api_keys).where(t.api_keys.c.expires_at <= now))

    def delete(self, site_id: int, key_id: str) -> bool:
        c = t.api_keys.c
        query = delete(t.api_keys).where(c.site_id == site_id, c.id == key_id)
        return bool(self._rights_changed(self._run(query.returning(c.site_id, c.agent_id))))

    def delete_of_agent(self, site_id: int, agent_id: int) -> None:
        """Delete every key of an agent."""
        c = t.api_keys.c
        self._run(delete(t.api_keys).where(c.site_id == site_id, c.agent_id == agent_id))
        self._changed(rights_changed(site_id, agent_id))


def _credential(row: Row[Any]) -> Credential:
    return Credential(**{**row._mapping, "kind": CredentialKind(row.kind)})


def _client(row: Row[Any]) -> Client:
    return Client(
        row.id,
        row.site_id,
        row.name,
        row.secret_digest,
        tuple(row.redirect_uris),
        frozenset(map(Grant, row.grants)),
        row.agent_id,
        row.is_disabled,
        row.old_secret_digest,
        row.old_secret_expires_at,
    )


def _grant_words(grants: Iterable[Grant]) -> list[str]:
    return sorted(grant.value for grant in grants)
