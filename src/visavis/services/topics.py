"""Topics of the bus."""


def socket_topic(socket_id: str) -> str:
    """Topic of the messages sent to one page."""
    return f"socket.{socket_id}"


def config_topic(site_id: int) -> str:
    """`Availability` of a site, whenever it changes."""
    return f"config.{site_id}"


def consoles_topic(site_id: int) -> str:
    """Topic of the messages sent to every agent console of a site."""
    return f"consoles.{site_id}"
