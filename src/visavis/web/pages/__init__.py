"""The pages that people open. Their sources are in `web/`, their build in `web/static/`."""

from __future__ import annotations

import gzip
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from visavis.domain.errors import ErrorKind, VisavisError

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


_ASSETS: Final = Assets(directory=STATIC, check_dir=False)


def _takes_gzip(scope: Scope) -> bool:
    return "gzip" in Headers(scope=scope).get("accept-encoding", "")


@lru_cache(maxsize=64)
def _compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


async def page(request: Request) -> Response:
    """Answer with the page of the path."""
    name = PAGES[request.scope["path"]]
    return FileResponse(STATIC / name, headers={"Cache-Control": "no-cache"})


async def lone_library(_: Request) -> Response:
    """Answer with the library page of an archive that runs alone: the other pages are missing."""
    text = await to_thread.run_sync((STATIC / PAGES["/library"]).read_text)
    text = text.replace("<visavis-library>", "<visavis-library alone>")
    return HTMLResponse(text, headers={"Cache-Control": "no-cache"})


async def widget(_: Request) -> Response:
    headers = {**ON_ANY_SITE, "Cache-Control": "no-cache"}
    return FileResponse(STATIC / "widget.js", headers=headers)


async def asset(request: Request) -> Response:
    """Answer with a built script, style or picture; raises `EntityNotFound`."""
    scope = {**request.scope, "path": f"/{request.path_params['path']}"}
    try:
        return await _ASSETS.get_response(_ASSETS.get_path(scope), scope)
    except HTTPException:
        raise VisavisError(ErrorKind.EntityNotFound) from None
