import type { ErrorKind } from "../generated/errors";

/** Errors that end a page's own call: the server no longer has it, or it belongs to another agent. */
export const CALL_IS_GONE: readonly string[] = ["EntityNotFound", "PermissionDenied"] satisfies ErrorKind[];
