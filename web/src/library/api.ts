// The library's REST resources; docs/recording-archive.md describes them.

const BASE = "/library/recordings";

export type Recording = {
  id: string;
  callId: string;
  media: string;
  visitorName: string;
  visitorEmail: string;
  agentNames: string[];
  startedAt: string;
  duration: number;
  size: number;
  sha256: string;
  isHeld: boolean;
  missing: string[];
};
export type Chapter = { at: number; title: string };
export type Moment = { at: number; name: string; by: string; data: Record<string, unknown> };
export type Quality = Record<string, Record<string, number | null> | undefined>;
export type Contents = {
  tracks: unknown[];
  chapters: Chapter[];
  texts: Moment[];
  events: Moment[];
  quality: Quality;
  consent: string;
};
export type Part = {
  name: string;
  side: string;
  kind: "video" | "audio" | "screen";
  begins: number;
  ends: number;
  pictures: [number, number][];
};
export type Composition = { state: "none" | "waiting" | "running" | "done" | "failed"; progress: number };
export type Page = { total: number; recordings: Recording[] };

/** A refusal, in the server's own words. */
export class Refusal extends Error {}

const ask = async <T>(path: string, method = "GET"): Promise<T> => {
  const response = await fetch(BASE + path, { method });
  if (response.status === 204) return undefined as T;
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) throw new Refusal((body as { message?: string } | undefined)?.message ?? "");
  return body as T;
};

export const search = (query: URLSearchParams): Promise<Page> => ask(`?${query.toString()}`);

/** One recording, opened by one page: every request of it tells so, for the audit log. */
export class OpenRecording {
  private readonly play = `play=${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`;

  constructor(private readonly id: string) {}

  private get path(): string {
    return `/${encodeURIComponent(this.id)}`;
  }

  details = (): Promise<{ recording: Recording; contents: Contents }> => ask(`${this.path}?${this.play}`);
  parts = async (): Promise<Part[]> =>
    (await ask<{ parts: Part[] }>(`${this.path}/parts?${this.play}`)).parts;
  source = (part: Part): string => `${BASE}${this.path}/parts/${part.name}?${this.play}`;
  get original(): string {
    return `${BASE}${this.path}/original.mkv`;
  }
  get composed(): string {
    return `${BASE}${this.path}/composed.mp4`;
  }
  composition = (): Promise<Composition> => ask(`${this.path}/composed`);
  compose = (): Promise<Composition> => ask(`${this.path}/composed`, "POST");
  cancel = (): Promise<Composition> => ask(`${this.path}/composed`, "DELETE");
  hold = async (isHeld: boolean): Promise<Recording> =>
    (await ask<{ recording: Recording }>(`${this.path}/hold`, isHeld ? "PUT" : "DELETE")).recording;
  remove = (): Promise<void> => ask(this.path, "DELETE");
}
