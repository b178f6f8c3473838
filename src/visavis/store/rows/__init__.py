"""The queries: what `services.ports` asks of each table. Every one names its site."""

from __future__ import annotations

from sqlalchemy import Connection

from visavis.store.rows.audit import Audit
from visavis.store.rows.calls import Calls, Nodes
from visavis.store.rows.configs import Configs
from visavis.store.rows.oauth import Clients, Codes, Credentials, Keys
from visavis.store.rows.people import Agents, Roles, Sites
from visavis.store.rows.recordings import Policies, Recordings


class SqlTransaction:
    """Implements `services.ports.Transaction` on one connection.

    `is_remembered` tells, afterwards, whether what was changed may be in other processes' memory.
    """

    def __init__(self, connection: Connection) -> None:
        self.is_remembered = False
        rest = (connection, self._changed)
        self.sites = Sites(*rest)
        self.agents = Agents(*rest)
        self.roles = Roles(*rest)
        self.credentials = Credentials(*rest)
        self.codes = Codes(*rest)
        self.clients = Clients(*rest)
        self.keys = Keys(*rest)
        self.configs = Configs(*rest)
        self.audit = Audit(*rest)
        self.nodes = Nodes(*rest)
        self.calls = Calls(*rest)
        self.recordings = Recordings(*rest)
        self.policies = Policies(*rest)

    def _changed(self) -> None:
        self.is_remembered = True
