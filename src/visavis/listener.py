"""The public TCP port."""

from __future__ import annotations

import errno
import socket
from typing import Final

BACKLOG: Final = 2048


def listen(host: str, port: int) -> socket.socket:
    """Open the public port; `::` includes IPv4. Raise `OSError` with a sentence."""
    listener = _bind(host, port, is_shared=False)
    listener.listen(BACKLOG)
    return listener


def share(host: str, port: int) -> socket.socket:
    """Open the public port for one of several processes of this user, as `listen` does.

    The kernel distributes connections among the sockets that listen. This one does not yet: until
    its process can serve, connections go to the others.
    """
    return _bind(host, port, is_shared=True)


def _bind(host: str, port: int, *, is_shared: bool) -> socket.socket:
    try:
        family = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0][0]
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if is_shared:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family is socket.AF_INET6:
                is_dual = host == "::" and socket.has_dualstack_ipv6()
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not is_dual))
            opened.bind((host, port))
        except OSError:
            opened.close()
            raise
    except socket.gaierror:
        raise OSError(errno.EADDRNOTAVAIL, f"the name {host} is not known: choose --host") from None
    except OSError as error:
        raise OSError(error.errno, describe_bind_error("TCP", host, port, error)) from None
    return opened


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
