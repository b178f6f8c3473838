"""Security schemes of the OpenAPI document."""

from __future__ import annotations

from typing import Any

from visavis.domain.people import Permission
from visavis.web.authentication import COOKIE


def security_schemes(base_url: str) -> dict[str, Any]:
    at = f"{base_url}/oauth"
    scopes = {permission.scope: permission.value for permission in Permission}
    token = {"tokenUrl": f"{at}/token", "refreshUrl": f"{at}/token", "scopes": scopes}
    return {
        "oauth": {
            "type": "oauth2",
            "description": "Clients are registered with `visavis client add`. A public client "
            "has to use PKCE with S256.",
            "flows": {
                "authorizationCode": {"authorizationUrl": f"{at}/authorize", **token},
                "clientCredentials": token,
                "password": token,
            },
        },
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token, as from /oauth/token or `visavis token issue`.",
        },
        "key": {
            "type": "http",
            "scheme": "basic",
            "description": "An agent's e-mail address and API key, with siteId.",
        },
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": COOKIE,
            "description": "The cookie of an agent who has signed in on a page of this server.",
        },
        "client": {
            "type": "http",
            "scheme": "basic",
            "description": "The id and the secret of an OAuth client (RFC 6749 §2.3.1).",
        },
        "uploadKey": {
            "type": "http",
            "scheme": "bearer",
            "description": "The key of a recorder, as from `visavis archive upload-key add`.",
        },
    }
