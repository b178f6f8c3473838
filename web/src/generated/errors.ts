// Made by `make generated` of the structs in src/visavis/protocol; do not edit.

export type ErrorKind = "ParameterMissing" | "ParameterFormatIncorrect" | "ParameterInvalid" | "ParameterStringLengthExceed" | "Unauthorized" | "PermissionDenied" | "AudioVideoChatDisabled" | "AgreementNeeded" | "EntityNotFound" | "MethodNotAllowed" | "RequestTimeout" | "CallNotPossible" | "RecordingHeld" | "PreconditionFailed" | "PayloadTooLarge" | "UnsupportedMediaType" | "TooManyRequests" | "InternalError" | "StoreUnavailable" | "RecordingUnavailable" | "MediaUnavailable";
