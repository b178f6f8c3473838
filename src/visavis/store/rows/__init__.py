"""The queries: what `services.ports` asks of each table. Every one names its site."""

from __future__ import annotations

from sqlalchemy import Connection

from visavis.store.rows.audit import SqlAuditRows
from visavis.store.rows.calls import SqlCallRows, SqlNodeRows
from visavis.store.rows.configs import SqlConfigRows
from visavis.store.rows.oauth import SqlClientRows, SqlCodeRows, SqlCredentialRows, SqlKeyRows
from visavis.store.rows.people import SqlAgentRows, SqlRoleRows, SqlSiteRows
from visavis.store.rows.recordings import SqlPolicyRows, SqlRecordingRows


class SqlTransaction:
    """Implements `services.ports.Transaction` on one connection.

    `is_remembered` tells, afterwards, whether what was changed may be in other processes' memory.
    """

    def __init__(self, connection: Connection) -> None:
        self.is_remembered = False
        rest = (connection, self._changed)
        self.sites = SqlSiteRows(*rest)
        self.agents = SqlAgentRows(*rest)
        self.roles = SqlRoleRows(*rest)
        self.credentials = SqlCredentialRows(*rest)
        self.codes = SqlCodeRows(*rest)
        self.clients = SqlClientRows(*rest)
        self.keys = SqlKeyRows(*rest)
        self.configs = SqlConfigRows(*rest)
        self.audit = SqlAuditRows(*rest)
        self.nodes = SqlNodeRows(*rest)
        self.calls = SqlCallRows(*rest)
        self.recordings = SqlRecordingRows(*rest)
        self.policies = SqlPolicyRows(*rest)

    def _changed(self) -> None:
        self.is_remembered = True
