"""The page that asks an agent whether a program may act for them. It needs no script."""

from __future__ import annotations

import hashlib
import hmac
from html import escape
from string import Template
from typing import Final
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from visavis.domain.oauth import Client
from visavis.domain.people import Agent, Permission
from visavis.web.pages import style_url
from visavis.web.security_headers import content_security_policy

_PAGE: Final = Template("""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>$title · Visavis</title>
    <link rel="icon" href="/static/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="$style">
  </head>
  <body>
    <a class="brand" href="/"><img src="/static/icon.svg" alt="" width="28" height="28">Visavis</a>
    <main class="narrow">
      <h1>$title</h1>
$content
    </main>
  </body>
</html>
""")

_QUESTION: Final = Template("""      <p class="lead"><strong>$client</strong> wants to act for you,
        $email, on site $site. It will be able to:</p>
      <ul>$permissions</ul>
      <p>You will then be sent to <strong>$target</strong>.</p>
      <form method="post" class="decision">
        <input type="hidden" name="proof" value="$proof">
        <button class="primary" name="decision" value="allow">Allow</button>
        <button name="decision" value="refuse">Refuse</button>
      </form>""")


def page(client: Client, agent: Agent, scope: str, redirect_uri: str, proof: str) -> HTMLResponse:
    """Return the page that asks for consent to what the client requests."""
    wanted = scope.split()
    permissions = [p.value for p in Permission if p.scope in wanted and agent.may(p)]
    target = urlsplit(redirect_uri)
    content = _QUESTION.substitute(
        client=escape(client.name),
        email=escape(agent.email),
        site=agent.site_id,
        permissions="".join(f"<li>{escape(name)}</li>" for name in permissions)
        or "<li>Nothing yet: you do not have any of the permissions that it requests.</li>",
        target=escape(target.netloc or f"{target.scheme}:"),
        proof=proof,
    )
    # browsers hold the redirect that answers a form to the page's form-action, too
    origin = f"{target.scheme}://{target.netloc}" if target.netloc else f"{target.scheme}:"
    policy = content_security_policy(host="")  # the page opens no socket
    policy = policy.replace("form-action 'self'", f"form-action 'self' {origin}")
    return _answer("Allow access?", content, 200, {"Content-Security-Policy": policy})


def error_page(sentence: str, status: int) -> HTMLResponse:
    """Told to the agent: it is not safe to send them anywhere."""
    content = f'      <p class="lead" role="alert">{escape(sentence)}</p>'
    return _answer("This request cannot be completed", content, status, {})


def proof(session: str) -> str:
    """Return a token against request forgery: only a page of this session knows it."""
    return hashlib.sha256(f"consent {session}".encode("utf-8", "replace")).hexdigest()


def is_proof(given: str, session: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), proof(session).encode())


def _answer(title: str, content: str, status: int, headers: dict[str, str]) -> HTMLResponse:
    text = _PAGE.substitute(title=escape(title), content=content, style=style_url())
    return HTMLResponse(text, status, headers={"Cache-Control": "no-store", **headers})
