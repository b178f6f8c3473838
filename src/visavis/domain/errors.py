"""All errors that clients receive, each with its name on the wire, HTTP status and sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum, unique
from typing import Final


class ErrorKind(Enum):
    """Kind of an error: its wire name (the member's name), HTTP status and default sentence."""

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


@unique
class ErrorCode(Enum):
    """A specific error: its kind, a sentence with parameters, the JSON pointer of its field.

    Pages receive the member's name and show their own sentence for it; API clients receive the
    sentence. An error without a code is sent under the name of its kind.
    """

    # Signing in
    WrongPassword = ErrorKind.Unauthorized, "The e-mail address or the password is wrong."
    SignInPaused = (
        ErrorKind.TooManyRequests,
        "Too many attempts to sign in: wait {seconds} seconds.",
    )
    SignInBusy = ErrorKind.TooManyRequests, "Many people are signing in: try again in a moment."
    SessionExpired = ErrorKind.Unauthorized, "You were signed out because you were inactive."
    OtherOrigin = ErrorKind.PermissionDenied, "Do this on our own pages."
    PermissionMissing = ErrorKind.PermissionDenied, "This requires the permission {permission}."
    PasswordTooShort = (
        ErrorKind.ParameterInvalid,
        "Choose a password of at least {least} characters.",
        "/newPassword",
    )
    PasswordTooLong = (
        ErrorKind.ParameterInvalid,
        "Choose a password of at most {most} characters.",
        "/newPassword",
    )
    PasswordCommon = (
        ErrorKind.ParameterInvalid,
        "This password is too easy to guess.",
        "/newPassword",
    )
    PasswordIsEmail = (
        ErrorKind.ParameterInvalid,
        "Choose a password that is not your e-mail address.",
        "/newPassword",
    )

    # Settings
    FieldMissing = ErrorKind.ParameterMissing, 'the parameter "{field}" is required.', "/{field}"
    FieldTooLong = (
        ErrorKind.ParameterStringLengthExceed,
        'the parameter "{field}" is longer than {most} characters.',
        "/{field}",
    )
    UrlMalformed = (
        ErrorKind.ParameterFormatIncorrect,
        'the parameter "{field}" must be an absolute http or https URL.',
        "/{field}",
    )
    UrlWithPassword = (
        ErrorKind.ParameterInvalid,
        'the parameter "{field}" must not contain a user name or a password.',
        "/{field}",
    )
    SecretMalformed = (
        ErrorKind.ParameterInvalid,
        'the parameter "{field}" must be a bearer token: letters, digits and - . _ ~ + /, with = '
        "only at the end.",
        "/{field}",
    )
    NumberInvalid = (
        ErrorKind.ParameterInvalid,
        'the parameter "{field}" must be a whole number from {least} to {most}.',
        "/{field}",
    )
    OptionalNumberInvalid = (
        ErrorKind.ParameterInvalid,
        'the parameter "{field}" must be a whole number from {least} to {most}, or null.',
        "/{field}",
    )
    RecordingServerNeeded = (
        ErrorKind.ParameterInvalid,
        "Automatic recording requires a recording server: enter its URL, or switch it off.",
        "/recordingServerUrl",
    )
    SecretNeeded = (
        ErrorKind.ParameterMissing,
        "The stored secret is not for {origin} and is not sent there. Give its secret as "
        'recordingServerSecret, or "" if it wants none.',
        "/recordingServerSecret",
    )

    ChangeUnconfirmed = (
        ErrorKind.StoreUnavailable,
        "The database did not confirm the change: look whether it was made before you try again.",
    )

    # Library
    RecordingNotFound = ErrorKind.EntityNotFound, "There is no such recording."
    RecordingUnplayable = (
        ErrorKind.EntityNotFound,
        "This file cannot be played in a browser. You can download it.",
    )
    CompositionMissing = ErrorKind.EntityNotFound, "The MP4 has not been created."
    CompositionsFull = (
        ErrorKind.TooManyRequests,
        "Too many MP4 files are waiting to be created: try again later.",
    )

    # Calls
    OtherCallFirst = ErrorKind.CallNotPossible, "Hang up your other call first."
    CallGone = ErrorKind.EntityNotFound, "That call has ended or does not exist."
    CallHasEnded = ErrorKind.CallNotPossible, "The call has already ended."
    CallUnknown = ErrorKind.EntityNotFound, "There is no such call."
    AgentMayNotAccept = (
        ErrorKind.ParameterInvalid,
        'the parameter "agentId" must be the number of an agent who may accept calls.',
        "/agentId",
    )
    NotYourCall = ErrorKind.PermissionDenied, "This is not your call."
    CallOfColleague = ErrorKind.PermissionDenied, "Another agent has that call now."
    CallReserved = ErrorKind.PermissionDenied, "That call is for another agent."
    VisitorGone = ErrorKind.EntityNotFound, "That visitor is no longer on the page."
    JoinLinkInvalid = ErrorKind.EntityNotFound, "This join link is no longer valid."
    JoinLinkUsed = ErrorKind.CallNotPossible, "Somebody has already joined the call with this link."
    JoinLinkForOneCall = ErrorKind.PermissionDenied, "This join link is for one call."
    ConnectionGone = ErrorKind.CallNotPossible, "That connection has ended or does not exist."
    TransferNotPossible = ErrorKind.CallNotPossible, "The call cannot be transferred now."
    TransferToSelf = ErrorKind.ParameterInvalid, "Transfer the call to another agent."
    NotConnected = ErrorKind.CallNotPossible, "Wait until the call is connected."
    RecordingOff = ErrorKind.CallNotPossible, "The call is not being recorded."
    RecordingOn = ErrorKind.CallNotPossible, "The call is already being recorded."
    RecordingPaused = ErrorKind.CallNotPossible, "The recording is paused."
    RecordingNotAgreed = ErrorKind.AgreementNeeded, "The visitor has not agreed to be recorded."
    TextEmpty = ErrorKind.ParameterInvalid, "Write something first."
    TextNotPossible = ErrorKind.CallNotPossible, "Nobody has taken the call yet."
    TextLimit = ErrorKind.TooManyRequests, "This call has reached its limit of text."
    MessageNotPossible = ErrorKind.CallNotPossible, "No message can be left for this call."

    # Limits of visitors
    TooOften = ErrorKind.TooManyRequests, "Too often: try again in {seconds} seconds."
    CallPause = ErrorKind.TooManyRequests, "Wait {seconds} seconds before you call again."
    NetworkQueueFull = (
        ErrorKind.TooManyRequests,
        "Too many calls from your network are waiting: try again later.",
    )
    QueueFull = (
        ErrorKind.TooManyRequests,
        "Too many visitors are waiting: try again later.",
    )

    def __init__(self, kind: ErrorKind, sentence: str, pointer: str | None = None) -> None:
        self.kind = kind
        self.sentence = sentence
        self.pointer = pointer


_ONE_SECOND: Final = re.compile(r"\b1 seconds\b")


class VisavisError(Exception):
    """An error that is sent to the client.

    `code` identifies it for pages, and `parameters` fill its sentence. `message` is the complete
    sentence, which says what to do. `pointer` is the JSON pointer (RFC 6901) of the field that the
    error concerns, `None` if there is none.
    """

    def __init__(
        self,
        kind: ErrorKind | ErrorCode,
        message: str | None = None,
        *,
        pointer: str | None = None,
        **parameters: str | int,
    ) -> None:
        code = kind if isinstance(kind, ErrorCode) else None
        self.kind = kind.kind if isinstance(kind, ErrorCode) else kind
        self.code = code.name if code else self.kind.name
        self.parameters = parameters
        self.message = message or _filled(kind.sentence, parameters)
        self.pointer = pointer
        if code and code.pointer and not pointer:
            self.pointer = code.pointer.format(**parameters)
        super().__init__(f"{self.kind.name}: {self.message}")


def _filled(sentence: str, parameters: Mapping[str, str | int]) -> str:
    return _ONE_SECOND.sub("1 second", sentence.format(**parameters)) if parameters else sentence


class UnusableDatabaseError(Exception):
    """The database is of a newer version of Visavis, or cannot hold its text.

    The text says what to do.
    """
