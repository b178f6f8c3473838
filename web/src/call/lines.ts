import type { TextLine } from "../generated/signaling";

export type Line = TextLine;
/** Line that the server has not acknowledged; `isRefused` if the server has refused it. */
export type PendingLine = { id: string; text: string; isRefused?: boolean };
type Written = { pending: PendingLine[]; draft: string };
/** The visitor's details, and the note of the agent who transferred the call. */
export type Details = { visitorEmail: string; transferredBy: string; note: string };

/** Return the text that has not reached the server: unacknowledged lines and the draft. */
export const unsentOf = ({ pending, draft }: Written): string =>
  [...pending.map(({ text }) => text), draft].filter((text) => text.trim()).join("\n");
