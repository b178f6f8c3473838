// The library's REST resources; docs/recording-archive.md describes them.

import type {
  LibraryComposition,
  LibraryDetails,
  LibraryEntry,
  LibraryPage,
  LibraryPart,
  LibraryParts,
  LibraryRecording,
} from "../generated/rest";
import { errors } from "../shared/i18n/en-errors";
import { sentenceOf } from "../shared/refusal";

const BASE = "/library/recordings";

export type Quality = Record<string, Record<string, number | null> | undefined>;

/** Error of the server; its message is the sentence to show. */
export class RefusedError extends Error {}

const ask = async <T>(path: string, method = "GET"): Promise<T> => {
  const response = await fetch(BASE + path, { method });
  if (response.status === 204) return undefined as T;
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new RefusedError(sentenceOf(errors, body ?? {}));
  return body as T;
};

export const search = (query: URLSearchParams): Promise<LibraryPage> => ask(`?${query.toString()}`);

/** Recording that a page has opened. Its requests share an id, by which the audit log counts them as one playback. */
export class OpenRecording {
  private readonly play = `play=${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`;

  constructor(private readonly id: string) {}

  private get path(): string {
    return `/${encodeURIComponent(this.id)}`;
  }

  details = (): Promise<LibraryDetails> => ask(`${this.path}?${this.play}`);
  parts = async (): Promise<LibraryPart[]> =>
    (await ask<LibraryParts>(`${this.path}/parts?${this.play}`)).parts;
  source = (part: LibraryPart): string => `${BASE}${this.path}/parts/${part.name}?${this.play}`;
  get original(): string {
    return `${BASE}${this.path}/original.mkv`;
  }
  get composed(): string {
    return `${BASE}${this.path}/composed.mp4`;
  }
  composition = (): Promise<LibraryComposition> => ask(`${this.path}/composed`);
  compose = (): Promise<LibraryComposition> => ask(`${this.path}/composed`, "POST");
  cancel = (): Promise<LibraryComposition> => ask(`${this.path}/composed`, "DELETE");
  hold = async (isHeld: boolean): Promise<LibraryRecording> =>
    (await ask<LibraryEntry>(`${this.path}/hold`, isHeld ? "PUT" : "DELETE")).recording;
  remove = (): Promise<void> => ask(this.path, "DELETE");
}
