"""Every error Visavis tells a client, once: its name on the wire, its status, its sentence."""

from __future__ import annotations

from enum import Enum


class ErrorKind(Enum):
    """An error's wire name (the member's name), HTTP status and default sentence."""

    ParameterMissing = 400, "A required parameter is missing."
    ParameterFormatIncorrect = 400, "A parameter has the wrong format."
    ParameterInvalid = 400, "A parameter is not valid."
    ParameterStringLengthExceed = 400, "A parameter is too long."
    Unauthorized = 401, "Send a valid access token."
    PermissionDenied = 403, "You do not have the required permission."
    AudioVideoChatDisabled = 403, "Audio & Video Chat is switched off for this site."
    AgreementNeeded = 403, "Calls are recorded: the visitor must agree first."
    EntityNotFound = 404, "There is nothing here."
    MethodNotAllowed = 405, "This URL does not support that method."
    RequestTimeout = 408, "The request took too long to arrive."
    CallNotPossible = 409, "The call is not in a state that allows this."
    RecordingHeld = 409, "The recording is on legal hold: release it first."
    PreconditionFailed = 412, "The resource has changed since you read it."
    PayloadTooLarge = 413, "The request body is too large."
    UnsupportedMediaType = 415, "Send the body as application/json."
    TooManyRequests = 429, "Too many requests: wait and try again."
    InternalError = 500, "Something went wrong on the server."
    StoreUnavailable = 503, "The database is not responding: try again in a moment."
    RecordingUnavailable = 503, "The call could not be recorded, so it was not started."
    MediaUnavailable = 503, "The media worker is not responding: try again in a moment."

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        self.sentence = sentence


class VisavisError(Exception):
    """An error to be told to the client as `kind`.

    `message` is a sentence that says what to do; `pointer` is the JSON pointer (RFC 6901) of the
    field it concerns, where there is one.
    """

    def __init__(
        self, kind: ErrorKind, message: str | None = None, *, pointer: str | None = None
    ) -> None:
        self.kind = kind
        self.message = message or kind.sentence
        self.pointer = pointer
        super().__init__(f"{kind.name}: {self.message}")


class NewerSchemaError(Exception):
    """A newer version of Visavis has migrated the database; the text says what to do."""
