"""The table of routes: every row is at once routed, documented and tested.

A row names the method, the path, the handler, who may call it, the body, the answer, the limit
that counts it, and its description. The archive has a table of its own, which joins this one where
both are composed.
"""

# a row is a line
# ruff: noqa: E501
# fmt: off

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from visavis.domain.people import Permission
from visavis.protocol.audit import AuditLog, AuditLogPage
from visavis.protocol.calls import (
    AudioVideoChatJoin,
    AudioVideoChatPage,
    AudioVideoChatReport,
    AudioVideoChatRequest,
)
from visavis.protocol.configuration import ConfigChange, Configuration
from visavis.protocol.oauth import (
    ConsentDecision,
    Introspection,
    Revoked,
    ServerMetadata,
    Token,
    TokenReference,
    TokenRequest,
    UserInfo,
)
from visavis.protocol.openapi import HTML, STRING, TEXT
from visavis.protocol.policy import RecordingPolicyChange, RecordingPolicySettings
from visavis.protocol.recordings import RecordingPage, RecordingServerTrial, RecordingServerVerdict
from visavis.protocol.routes import (
    ANYBODY,
    WEBSOCKET,
    Access,
    Caller,
    RateClass,
    Route,
    Routes,
    agents,
)
from visavis.protocol.session import PasswordChange, SessionList, SignedIn, SignIn
from visavis.web import pages
from visavis.web.api import audit, calls, config, events, policy, recordings
from visavis.web.api.session import SessionApi
from visavis.web.description import access
from visavis.web.description.document import Document
from visavis.web.health import ReadinessProbe, healthz
from visavis.web.metrics import MetricsPage
from visavis.web.oauth.routes import OAuth
from visavis.web.pages.join import JoinPages
from visavis.web.signaling import Sockets

API: Final = RateClass.API
PAGE: Final = RateClass.PAGE
SOCKET: Final = RateClass.SOCKET
PROBE: Final = None
"""Probes are not counted."""

SETTINGS: Final = agents(Permission.MANAGE_SETTINGS)
CALLERS: Final = agents(Permission.ACCEPT_CALLS)
READERS: Final = Access(Caller.AGENT, needs_one_of=(Permission.ACCEPT_CALLS, Permission.MANAGE_SETTINGS))
AUDITORS: Final = agents(Permission.VIEW_AUDIT_LOG)
EXPORTERS: Final = Access(Caller.AGENT, (Permission.VIEW_AUDIT_LOG,), is_for_administrators=True)
OWN_PAGE: Final = Access(Caller.OWN_PAGE)
SESSION: Final = Access(Caller.PAGE)
SIGNED_IN: Final = Access(Caller.SIGNED_IN)
BEARER: Final = Access(Caller.BEARER)
BROWSER: Final = Access(Caller.BROWSER)
CLIENT: Final = Access(Caller.CLIENT)
OPERATOR: Final = Access(Caller.OPERATOR)
VISITOR: Final = Access(Caller.VISITOR)
CONSOLE: Final = Access(Caller.CONSOLE)

HTML_PAGE: Final = {HTML: STRING}
LINES: Final = {TEXT: STRING}
SCRIPT: Final = {"text/javascript": STRING}
FILE: Final = {"application/octet-stream": STRING}
JSON_LINES: Final = {audit.LINES: STRING}
OPEN_OBJECT: Final[Mapping[str, Any]] = {"application/json": {"type": "object", "additionalProperties": True}}
STREAM: Final[Mapping[str, Any]] = {
    events.MEDIA_TYPE: {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": "#/components/schemas/ConfigEvent"},
        "description": "The data of each event is such an object.",
    }
}
TOKEN_FORM: Final = {access.FORM: TokenRequest}
REFERENCE_FORM: Final = {access.FORM: TokenReference}
DECISION_FORM: Final = {access.FORM: ConsentDecision}


def api_routes(
    configuration: config.ConfigApi,
    changes: events.ConfigEvents,
    recording_policy: policy.PolicyApi,
    delivery: recordings.RecordingsApi,
    call: calls.CallsApi,
    log: audit.AuditApi,
    document: Document,
) -> Routes:
    """The REST API, which is also found in any case and below `/api`."""
    return (
        Route("GET", config.PATH, configuration.get, SETTINGS, None, Configuration, API, "getAudioVideoChatConfig"),
        Route("PUT", config.PATH, configuration.put, SETTINGS, ConfigChange, Configuration, API, "updateAudioVideoChatConfig"),
        Route("POST", f"{config.PATH}:enable", configuration.enable, SETTINGS, None, Configuration, API, "enableAudioVideoChat"),
        Route("POST", f"{config.PATH}:disable", configuration.disable, SETTINGS, None, Configuration, API, "disableAudioVideoChat"),
        Route("GET", events.EVENTS_PATH, changes.watch, events.WATCHERS, None, STREAM, API, "watchAudioVideoChatConfig"),
        Route("POST", recordings.TRIAL_PATH, delivery.try_out, SETTINGS, RecordingServerTrial, RecordingServerVerdict, API, "testRecordingServer"),
        Route("GET", policy.PATH, recording_policy.get, SETTINGS, None, RecordingPolicySettings, API, "getRecordingPolicy"),
        Route("PUT", policy.PATH, recording_policy.put, SETTINGS, RecordingPolicyChange, RecordingPolicySettings, API, "updateRecordingPolicy"),
        Route("GET", recordings.PATH, delivery.get, SETTINGS, None, RecordingPage, API, "getRecordings"),
        Route("GET", calls.PATH, call.list, READERS, None, AudioVideoChatPage, API, "getAudioVideoChats"),
        Route("POST", calls.PATH, call.make, CALLERS, AudioVideoChatRequest, AudioVideoChatJoin, API, "createAudioVideoChat"),
        Route("GET", f"{calls.PATH}/{{id}}", call.get, READERS, None, AudioVideoChatReport, API, "getAudioVideoChat"),
        Route("POST", f"{calls.PATH}/{{id}}:end", call.end, CALLERS, None, AudioVideoChatReport, API, "endAudioVideoChat"),
        Route("GET", audit.PATH, log.list, AUDITORS, None, AuditLogPage, API, "getAuditLogs"),
        Route("GET", audit.EXPORT_PATH, log.export, EXPORTERS, None, JSON_LINES, API, "exportAuditLogs"),
        Route("GET", f"{audit.PATH}/{{id}}", log.get, AUDITORS, None, AuditLog, API, "getAuditLog"),
        Route("GET", "/v4/openapi.json", document.get, ANYBODY, None, OPEN_OBJECT, API, "getDescription"),
    )


def oauth_routes(oauth: OAuth) -> Routes:
    """OAuth 2, which is also found in any case and below `/api`."""
    return (
        Route("POST", "/oauth/token", oauth.token, CLIENT, TOKEN_FORM, Token, API, "issueToken"),
        Route("GET", "/oauth/authorize", oauth.ask, BROWSER, None, HTML_PAGE, API, "authorize"),
        Route("POST", "/oauth/authorize", oauth.decide, BROWSER, DECISION_FORM, None, API, "decideAuthorization"),
        Route("GET", "/oauth/userinfo", oauth.userinfo, BEARER, None, UserInfo, API, "getUserInfo"),
        Route("POST", "/oauth/userinfo", oauth.userinfo, BEARER, None, UserInfo, API, "postUserInfo"),
        Route("POST", "/oauth/revoke", oauth.revoke, CLIENT, REFERENCE_FORM, Revoked, API, "revokeToken"),
        Route("POST", "/oauth/introspect", oauth.introspect, CLIENT, REFERENCE_FORM, Introspection, API, "introspectToken"),
        Route("GET", "/.well-known/oauth-authorization-server", oauth.metadata, ANYBODY, None, ServerMetadata, PAGE, "getServerMetadata"),
    )


def session_routes(sessions: SessionApi) -> Routes:
    """Signing in on the pages."""
    return (
        Route("GET", "/session", sessions.show, SIGNED_IN, None, SignedIn, PAGE, "getSession"),
        Route("POST", "/session", sessions.sign_in, OWN_PAGE, SignIn, SignedIn, PAGE, "signIn"),
        Route("DELETE", "/session", sessions.sign_out, OWN_PAGE, None, None, PAGE, "signOut"),
        Route("POST", "/session/password", sessions.change_password, SESSION, PasswordChange, SignedIn, PAGE, "changePassword"),
        Route("GET", "/session/all", sessions.list_sessions, SESSION, None, SessionList, PAGE, "listSessions"),
        Route("DELETE", "/session/all", sessions.sign_out_everywhere, SESSION, None, None, PAGE, "signOutEverywhere"),
        Route("DELETE", "/session/{session_id}", sessions.end_session, SESSION, None, None, PAGE, "endSession"),
    )


def page_routes(join: JoinPages) -> Routes:
    """The pages and their files."""
    return (
        Route("GET", "/", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openHome"),
        Route("GET", "/demo", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openDemo"),
        Route("GET", "/console", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openConsole"),
        Route("GET", "/library", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openLibrary"),
        Route("GET", "/signin", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openSignIn"),
        Route("GET", "/admin", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openAdmin"),
        Route("GET", "/docs", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openDocs"),
        Route("GET", "/profile", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openProfile"),
        Route("GET", "/docs/oauth2-redirect", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openDocsRedirect"),
        Route("GET", "/widget.js", pages.widget, ANYBODY, None, SCRIPT, PAGE, "getWidget"),
        Route("GET", "/static/{path:path}", pages.asset, ANYBODY, None, FILE, PAGE, "getAsset"),
        Route("GET", "/join/{token}", join.page, ANYBODY, None, HTML_PAGE, PAGE, "openJoinLink"),
    )


def lone_archive_routes() -> Routes:
    """The pages of an archive that runs alone, and its probes."""
    return (
        Route("GET", "/", pages.lone_library, ANYBODY, None, HTML_PAGE, PAGE, "openHome"),
        Route("GET", "/library", pages.lone_library, ANYBODY, None, HTML_PAGE, PAGE, "openLibrary"),
        Route("GET", "/signin", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openSignIn"),
        Route("GET", "/profile", pages.page, ANYBODY, None, HTML_PAGE, PAGE, "openProfile"),
        Route("GET", "/static/{path:path}", pages.asset, ANYBODY, None, FILE, PAGE, "getAsset"),
        Route("GET", "/readyz", healthz, ANYBODY, None, LINES, PROBE, "getReadiness"),
    )


def health_routes(readiness: ReadinessProbe) -> Routes:
    """Readiness for calls."""
    return (Route("GET", "/readyz", readiness.show, ANYBODY, None, LINES, PROBE, "getReadiness"),)


def probe_routes(metrics: MetricsPage) -> Routes:
    """Probes of every process that serves HTTP."""
    return (
        Route("GET", "/healthz", healthz, ANYBODY, None, LINES, PROBE, "getHealth"),
        Route("GET", "/metrics", metrics.show, OPERATOR, None, LINES, PROBE, "getMetrics"),
    )


def socket_routes(sockets: Sockets) -> Routes:
    """The signalling sockets of the pages."""
    return (
        Route(WEBSOCKET, "/signaling/visitor", sockets.visitor, VISITOR, None, None, SOCKET, "signalVisitor"),
        Route(WEBSOCKET, "/signaling/agent", sockets.agent, CONSOLE, None, None, SOCKET, "signalAgent"),
    )
