"""The page that asks an agent whether a program may act for them. It needs no script.

Its HTML and texts are built from `web/consent.html` and the pages' catalogue of texts.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import StrEnum
from functools import lru_cache
from html import escape
from string import Template
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from visavis.domain.oauth import Client
from visavis.domain.people import Agent, Permission
from visavis.web.pages import STATIC
from visavis.web.security_headers import CONSENT, content_security_policy


class ConsentProblem(StrEnum):
    """Reason why no consent is asked for. Its value is the placeholder in the page's HTML."""

    OTHER_SITE = "otherSite"
    START_AGAIN = "startAgain"
    INVALID_REQUEST = "invalidRequest"


def page(client: Client, agent: Agent, scope: str, redirect_uri: str, proof: str) -> HTMLResponse:
    """Return the page that asks for consent to what the client requests."""
    wanted = scope.split()
    permissions = [p.value for p in Permission if p.scope in wanted and agent.may(p)]
    target = urlsplit(redirect_uri)
    values = {
        "client": f"<strong>{escape(client.name)}</strong>",
        "email": escape(agent.email),
        "site": str(agent.site_id),
        "permissions": "".join(f"<li>{escape(name)}</li>" for name in permissions),
        "target": f"<strong>{escape(target.netloc or f'{target.scheme}:')}</strong>",
        "proof": proof,
    }
    origin = f"{target.scheme}://{target.netloc}" if target.netloc else f"{target.scheme}:"
    policy = content_security_policy(CONSENT, target=origin)
    return _answer("consent.html", values, 200, {"Content-Security-Policy": policy})


def error_page(problem: ConsentProblem, status: int, detail: str = "") -> HTMLResponse:
    """Return the page with an error that it is not safe to redirect to the client.

    The page has the sentence of every problem and hides all but one. `detail` is for the author of
    the client.
    """
    values = {one.value: "" if one is problem else "hidden" for one in ConsentProblem}
    return _answer("consent-error.html", {**values, "detail": escape(detail)}, status, {})


def proof(session: str) -> str:
    """Return a token against request forgery: only a page of this session knows it."""
    return hashlib.sha256(f"consent {session}".encode("utf-8", "replace")).hexdigest()


def is_proof(given: str, session: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), proof(session).encode())


@lru_cache
def _template(name: str) -> Template:
    return Template((STATIC / name).read_text())


def _answer(
    name: str, values: dict[str, str], status: int, headers: dict[str, str]
) -> HTMLResponse:
    text = _template(name).substitute(values)
    return HTMLResponse(text, status, headers={"Cache-Control": "no-store", **headers})
