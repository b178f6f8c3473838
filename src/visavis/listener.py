"""The public TCP port."""

from __future__ import annotations

import errno
import socket
from typing import Final

BACKLOG: Final = 2048


def listen(host: str, port: int) -> socket.socket:
    """Open the public port; `::` includes IPv4. Raise `OSError` with a sentence."""
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0][0]
        is_dual = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server(
            (host, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_dual
        )
    except socket.gaierror:
        raise OSError(errno.EADDRNOTAVAIL, f"the name {host} is not known: choose --host") from None
    except OSError as error:
        raise OSError(error.errno, describe_bind_error("TCP", host, port, error)) from None


def describe_bind_error(protocol: str, host: str, port: int, error: OSError) -> str:
    """Return a sentence for the operator that ends with the option to change."""
    where, on = f"{protocol} port {port}", f" on {host}" if host else ""
    match error.errno:
        case errno.EADDRINUSE:
            return f"{where} is already in use{on}: choose another with --port"
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT:
            return f"this machine does not have the address {host}: choose --host"
        case errno.EACCES:
            return f"this user may not open {where}{on}: choose another with --port"
    return f"{where} cannot be opened{on} ({error.strerror}): choose another with --port"
