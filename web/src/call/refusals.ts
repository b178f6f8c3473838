import type { ErrorKind } from "../generated/errors";

/** The errors that end a page's own call: it is over, or belongs to somebody else by now. */
export const CALL_IS_GONE: readonly string[] = ["EntityNotFound", "PermissionDenied"] satisfies ErrorKind[];
