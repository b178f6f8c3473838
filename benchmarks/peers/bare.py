"""Bare ASGI function under uvicorn, with the same settings as our app."""

from __future__ import annotations

from typing import Any

import uvicorn


def serve(function: Any, port: int) -> None:
    config = uvicorn.Config(
        function,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
        ws_per_message_deflate=False,
    )
    uvicorn.Server(config).run()
