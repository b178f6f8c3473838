"""A recorder that kills itself before a step: `python -m tests.faults.doomed_recorder STEP`."""

from __future__ import annotations

import os
import signal
import sys
from typing import Final

from visavis.cli import main
from visavis.recorder import handover_client, handover_server
from visavis.services.recordings import Recordings
from visavis.spool import pieces, reader

OWNERS: Final[dict[str, object]] = {
    "_offered": handover_server,
    "_write_all": handover_client,
    "allow_handover": Recordings,
    "finish": pieces,
    "forget_file": pieces,
    "record_collection": Recordings,
    "record_delivery": Recordings,
    "remove": reader,
    "shares": Recordings,
    "write_clock": pieces,
}


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    step = "".join(sys.argv[1:])
    if step:
        setattr(OWNERS[step], step, die)
    main(["part", "recorder"])
