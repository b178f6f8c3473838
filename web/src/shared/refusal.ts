import type { ErrorCode } from "../generated/errors";

/** An error of the server, in an answer (`Problem`) or a message (`Refused`). */
export type Refusal = {
  error?: string;
  code?: string;
  parameters?: Record<string, string | number>;
};

/** Return the catalogue's sentence for an error: that of its code, or of its kind, or a general one. */
export const sentenceOf = (
  sentences: Partial<Record<ErrorCode, string>> & { InternalError: string },
  { error, code, parameters }: Refusal,
): string =>
  (sentences[code as ErrorCode] ?? sentences[error as ErrorCode] ?? sentences.InternalError).replace(
    /\{(\w+)\}/g,
    (_, name: string) => String(parameters?.[name] ?? ""),
  );
