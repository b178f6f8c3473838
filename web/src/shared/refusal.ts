import type { ErrorCode } from "../generated/errors";

/** Error of the server, in an answer of the REST API (`Problem`) or in a signaling message (`Refused`). */
export type Refusal = {
  error?: string;
  code?: string;
  parameters?: Record<string, string | number>;
};

/** Return the catalogue's sentence for an error's code; if there is none, that of its kind, or a general one. */
export const sentenceOf = (
  sentences: Partial<Record<ErrorCode, string>> & { InternalError: string },
  { error, code, parameters }: Refusal,
): string =>
  (sentences[code as ErrorCode] ?? sentences[error as ErrorCode] ?? sentences.InternalError).replace(
    /\{(\w+)\}/g,
    (_, name: string) => String(parameters?.[name] ?? ""),
  );
