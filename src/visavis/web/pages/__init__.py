"""The pages that people open. Their sources are in `web/`, their build in `web/static/`."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Final

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC: Final = Path(__file__).resolve().parent.parent / "static"
PAGES: Final = {
    "/": "index.html",
    "/demo": "demo.html",
    "/console": "console.html",
    "/library": "library.html",
    "/signin": "signin.html",
    "/admin": "admin.html",
    "/docs": "docs.html",
    "/profile": "profile.html",
    "/docs/oauth2-redirect": "docs-redirect.html",
}
ON_ANY_SITE: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


REVALIDATED: Final = "no-cache"
KEPT: Final = "public, max-age=31536000, immutable"
"""A file whose name carries a hash of its content never changes (RFC 8246)."""
_HASHED: Final = re.compile(r"-[\w-]{8}\.(js|css)$", re.ASCII)
_COMPRESSED: Final = frozenset({".js", ".css", ".svg", ".ts"})


class Assets(StaticFiles):
    """Built scripts and styles, compressed; a stranger's page may load the widget's."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        headers = response.headers
        cached = KEPT if _HASHED.search(path) else REVALIDATED
        headers.update({**ON_ANY_SITE, "Cache-Control": cached, "Vary": "Accept-Encoding"})
        if not isinstance(response, FileResponse) or not _takes_gzip(scope):
            return response
        if Path(path).suffix not in _COMPRESSED or "range" in Headers(scope=scope):
            return response
        body = await to_thread.run_sync(_compressed, Path(response.path))
        del headers["Content-Length"]
        return Response(body, headers={**headers, "Content-Encoding": "gzip"})


def _takes_gzip(scope: Scope) -> bool:
    return "gzip" in Headers(scope=scope).get("accept-encoding", "")


@lru_cache(maxsize=64)
def _compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


def page_routes() -> list[BaseRoute]:
    return [
        *(Route(path, _page(name)) for path, name in PAGES.items()),
        Route("/widget.js", _widget),
        _assets(),
    ]


def archive_page_routes() -> list[BaseRoute]:
    """The pages of an archive that runs alone."""
    return [
        Route("/", _lone_library),
        Route("/library", _lone_library),
        Route("/signin", _page(PAGES["/signin"])),
        Route("/profile", _page(PAGES["/profile"])),
        _assets(),
    ]


def _lone_library(_: Request) -> Response:
    """The library page, told that the other pages are not there."""
    page = (STATIC / PAGES["/library"]).read_text()
    page = page.replace("<visavis-library>", "<visavis-library alone>")
    return HTMLResponse(page, headers={"Cache-Control": "no-cache"})


def _assets() -> Mount:
    return Mount("/static", Assets(directory=STATIC, check_dir=False))


def _page(name: str) -> Callable[[Request], Response]:
    def page(_: Request) -> Response:
        return FileResponse(STATIC / name, headers={"Cache-Control": "no-cache"})

    return page


def _widget(_: Request) -> Response:
    headers = {**ON_ANY_SITE, "Cache-Control": "no-cache"}
    return FileResponse(STATIC / "widget.js", headers=headers)
