"""The pages and their assets as browsers ask for them."""

from __future__ import annotations

import gzip
import re

import pytest
from starlette.testclient import TestClient

from tests.routing import routed
from visavis.web.authentication import no_join_link
from visavis.web.pages import PAGES, STATIC
from visavis.web.pages.join import JoinPages
from visavis.web.routes import page_routes


@pytest.fixture
def client() -> TestClient:
    return TestClient(routed(page_routes(JoinPages(no_join_link)), {}))


def assets(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="(/static/[^"]+)"', page)


@pytest.mark.parametrize("path", PAGES)
def test_every_asset_of_a_page_exists_and_may_be_kept(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.headers["cache-control"] == "no-cache"
    for url in assets(page.text):
        answer = client.get(url)
        assert answer.status_code == 200
        kept = "no-cache" if url.endswith("icon.svg") else "public, max-age=31536000, immutable"
        assert answer.headers["cache-control"] == kept


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_mark_its_name_and_both_colour_schemes(
    client: TestClient, path: str
) -> None:
    page = client.get(path).text
    assert '<link rel="icon" href="/static/icon.svg"' in page
    assert '<meta name="color-scheme" content="light dark"' in page
    assert re.search(r"<title>.*(Visavis|Tenon).*</title>", page)  # the demo is a shop of that name


def test_assets_are_compressed_for_those_who_take_it(client: TestClient) -> None:
    url = next(url for url in assets(client.get("/").text) if url.endswith(".css"))
    whole = (STATIC / "assets" / url.rsplit("/", 1)[1]).read_bytes()
    plain = client.get(url, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == whole
    with client.stream("GET", url, headers={"Accept-Encoding": "br, gzip"}) as small:
        raw = b"".join(small.iter_raw())
    assert small.headers["content-encoding"] == "gzip"
    assert small.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(raw) == whole
    assert int(small.headers["content-length"]) == len(raw) < len(whole)
    again = client.get(url, headers={"If-None-Match": plain.headers["etag"]})
    assert again.status_code == 304
    part = client.get(url, headers={"Range": "bytes=0-9", "Accept-Encoding": "gzip"})
    assert (part.status_code, part.content) == (206, whole[:10])


def test_the_loader_names_the_widget_of_this_build(client: TestClient) -> None:
    loader = client.get("/widget.js")
    assert loader.headers["cache-control"] == "no-cache"
    assert loader.headers["access-control-allow-origin"] == "*"
    (widget,) = re.findall(r"/static/assets/widget-[\w-]+\.js", loader.text)
    assert client.get(widget).headers["access-control-allow-origin"] == "*"


def test_the_types_of_the_script_api_are_served(client: TestClient) -> None:
    assert "interface VisavisApi" in client.get("/static/visavis.d.ts").text
