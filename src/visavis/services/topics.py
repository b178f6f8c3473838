"""Where on the bus a message for whom goes."""


def socket_topic(socket_id: str) -> str:
    """What one page's socket hears."""
    return f"socket.{socket_id}"


def config_topic(site_id: int) -> str:
    """`Availability` of a site, whenever it changes."""
    return f"config.{site_id}"


def consoles_topic(site_id: int) -> str:
    """What all the consoles of a site hear whose agents may take calls."""
    return f"consoles.{site_id}"
