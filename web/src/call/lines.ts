import type { TextLine } from "../generated/signaling";

export type Line = TextLine;
/** A line that the server has not acknowledged yet; `isRefused` once it will not. */
export type PendingLine = { id: string; text: string; isRefused?: boolean };
type Written = { pending: PendingLine[]; draft: string };
/** The visitor's details, and the note of the agent who transferred the call. */
export type Details = { visitorEmail: string; transferredBy: string; note: string };

/** Lines of a call that have not reached the server, ready to be read. */
export const unsentOf = ({ pending, draft }: Written): string =>
  [...pending.map(({ text }) => text), draft].filter((text) => text.trim()).join("\n");
