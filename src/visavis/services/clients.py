"""OAuth clients: the programs that may request tokens."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from visavis.domain.audit import ActionType, AuditEntry, FieldChange
from visavis.domain.errors import ErrorKind, VisavisError
from visavis.domain.oauth import Client, Grant
from visavis.domain.people import Agent, operator
from visavis.services.audit import Auditor
from visavis.services.ports import Clock, Store, Transaction
from visavis.services.secrets import digest

SECRET_PREFIX: Final = "vvs_"  # noqa: S105  what secrets begin with
FIRST_GRANTS: Final = (Grant.PASSWORD, Grant.AUTHORIZATION_CODE, Grant.REFRESH_TOKEN)
LOOPBACK: Final = ("http://127.0.0.1", "http://[::1]", "http://localhost")
"""Redirect URIs of programs on the user's own machine, at any port and path (RFC 8252 §7.3)."""


def first_client(client_id: str, site_id: int) -> Client:
    """Return the first client of a new site, for programs on the users' own machines."""
    return Client(client_id, site_id, "First client", None, LOOPBACK, frozenset(FIRST_GRANTS))


class Clients:
    def __init__(
        self,
        store: Store,
        clock: Clock,
        new_secret: Callable[[], str],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_secret = new_secret
        self._new_id = new_id
        self._auditor = Auditor(clock, new_id)

    async def add(
        self,
        site_id: int,
        name: str,
        *,
        grants: Iterable[Grant],
        redirect_uris: Sequence[str] = (),
        is_public: bool = False,
        acts_as: Agent | None = None,
    ) -> tuple[Client, str | None]:
        """Add a client; return it and its secret, to be shown once. A public client has none.

        Raises `ParameterInvalid` for a combination with which the client could never get a token.
        """
        allowed = frozenset(grants)
        _require_valid_combination(allowed, redirect_uris, is_public=is_public, acts_as=acts_as)
        secret = None if is_public else SECRET_PREFIX + self._new_secret()
        client = Client(
            self._new_id(),
            site_id,
            name,
            digest(secret) if secret else None,
            tuple(redirect_uris),
            allowed,
            acts_as.id if acts_as else None,
        )
        now = self._clock()

        def work(rows: Transaction) -> None:
            rows.clients.add(client, now)
            rows.audit.add(created(self._auditor, client))

        await self._store.write(work)
        return client, secret

    async def list_by_site(self, site_id: int) -> Sequence[Client]:
        return await self._store.read(lambda rows: rows.clients.list_by_site(site_id))

    async def set_grants(self, site_id: int, client_id: str, grants: Iterable[Grant]) -> None:
        """Replace the grants that the client may use; raises `EntityNotFound`."""
        allowed = tuple(grants)

        def work(rows: Transaction) -> None:
            client = _require_client(rows, site_id, client_id)
            rows.clients.set_grants(site_id, client_id, allowed)
            if changes := _grants(client.grants, allowed):
                summary = f"Changed the grants of the OAuth client {client.name}"
                action = ActionType.CLIENT_GRANTS_CHANGED
                rows.audit.add(entry_of(self._auditor, client, action, summary, *changes))

        await self._store.write(work)

    async def rotate_secret(self, site_id: int, client_id: str, overlap: timedelta) -> str:
        """Replace a client's secret and return the new one; the old one stays valid for `overlap`.

        A secret that an earlier rotation replaced becomes invalid at once. Raises `EntityNotFound`,
        and `ParameterInvalid` for a public client.
        """
        secret, now = SECRET_PREFIX + self._new_secret(), self._clock()

        def work(rows: Transaction) -> None:
            client = _require_client(rows, site_id, client_id)
            if client.is_public:
                raise _invalid(f"The client {client_id} is public: it has no secret.")
            rows.clients.replace_secret(client, digest(secret), now + overlap if overlap else None)
            summary = f"Replaced the secret of the OAuth client {client.name}"
            action = ActionType.CLIENT_SECRET_ROTATED
            rows.audit.add(entry_of(self._auditor, client, action, summary))

        await self._store.write(work)
        return secret

    async def disable(self, site_id: int, client_id: str, *, is_disabled: bool) -> None:
        """Disable or enable a client; disabling revokes its tokens. Raises `EntityNotFound`."""
        action = ActionType.CLIENT_DISABLED if is_disabled else ActionType.CLIENT_ENABLED

        def work(rows: Transaction) -> None:
            client = _require_client(rows, site_id, client_id)
            rows.clients.disable(site_id, client_id, is_disabled=is_disabled)
            if is_disabled:
                rows.credentials.delete_of_client(site_id, client_id)
            summary = f"{'Disabled' if is_disabled else 'Enabled'} the OAuth client {client.name}"
            rows.audit.add(entry_of(self._auditor, client, action, summary))

        await self._store.write(work)


def created(auditor: Auditor, client: Client) -> AuditEntry:
    """Return the audit entry of a new client."""
    summary = f"Added the OAuth client {client.name}"
    changes = _grants((), client.grants)
    return entry_of(auditor, client, ActionType.CLIENT_CREATED, summary, *changes)


def entry_of(
    auditor: Auditor, client: Client, action: ActionType, summary: str, *changes: FieldChange
) -> AuditEntry:
    """Return the audit entry of an action of the command line on a client."""
    site_id, name = client.site_id, f"OAuth client {client.name}"
    return auditor.entry(operator(site_id), site_id, action, name, summary, *changes)


def _grants(old: Iterable[Grant], new: Iterable[Grant]) -> tuple[FieldChange, ...]:
    before, after = (", ".join(sorted(set(these))) for these in (old, new))
    return (FieldChange("grants", before, after),) if before != after else ()


def _require_client(rows: Transaction, site_id: int, client_id: str) -> Client:
    client = rows.clients.find(client_id)
    if client is None or client.site_id != site_id:
        raise VisavisError(ErrorKind.EntityNotFound, f"There is no client {client_id}.")
    return client


def _require_valid_combination(
    grants: frozenset[Grant],
    redirect_uris: Sequence[str],
    *,
    is_public: bool,
    acts_as: Agent | None,
) -> None:
    if Grant.AUTHORIZATION_CODE in grants and not redirect_uris:
        raise _invalid("The grant authorization_code requires a redirect URI.")
    if Grant.CLIENT_CREDENTIALS in grants and (is_public or acts_as is None):
        raise _invalid(
            "The grant client_credentials requires a secret and an agent for whom it acts."
        )
    for uri in redirect_uris:
        parts = urlsplit(uri)
        if not parts.scheme or not (parts.netloc or "." in parts.scheme) or parts.fragment:
            raise _invalid(f"{uri} is not a redirect URI: use an absolute one without a fragment.")


def _invalid(sentence: str) -> VisavisError:
    return VisavisError(ErrorKind.ParameterInvalid, sentence)
