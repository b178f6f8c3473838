"""The pages that people open. Their sources are in `web/`, their build in `web/static/`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

STATIC: Final = Path(__file__).resolve().parent.parent / "static"
PAGES: Final = {
    "/": "index.html",
    "/demo": "demo.html",
    "/console": "console.html",
    "/library": "library.html",
    "/signin": "signin.html",
    "/admin": "admin.html",
    "/docs": "docs.html",
}
ON_ANY_SITE: Final = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


class Assets(StaticFiles):
    """Built scripts and styles; a stranger's page may load the widget's."""

    def file_response(self, *arguments: object, **options: object) -> Response:
        response = super().file_response(*arguments, **options)  # type: ignore[arg-type]
        response.headers.update({**ON_ANY_SITE, "Cache-Control": "no-cache"})
        return response


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
