// Storage of the call across a reload of the page, and of the preferred devices.

import type { Details, Line, PendingLine } from "./lines";
import type { Media } from "../generated/signaling";

const DEVICES = "visavis.devices";
/** Seconds for which unsent text is kept after the page was closed. */
const MESSAGE_SECONDS = 24 * 3600;

/**
 * Call that this page was in when it was closed or reloaded, at `leftAt` (milliseconds since 1970).
 *
 * `seconds` is for how long the call had been connected by then.
 */
export type Unfinished = {
  callId: string;
  secret: string;
  media: Media;
  isMuted: boolean;
  hasCamera: boolean;
  seconds: number | undefined;
  otherName: string;
  lines: Line[];
  pending: PendingLine[];
  draft: string;
  details: Details;
  leftAt: number;
  resumeSeconds: number;
  /** Whether it is too late to resume the call: then only the unsent text is of use. */
  isOver?: boolean;
};

export type Devices = { microphone?: string; camera?: string; speaker?: string };

// A browser may deny a page its storage: then nothing is remembered.
const attempt = <T>(work: () => T): T | undefined => {
  try {
    return work();
  } catch {
    return undefined;
  }
};

/** Store the call. Done only when the page is closed, so that a duplicated tab never takes over the call. */
export const keep = (storage: () => Storage, key: string, call: Unfinished): void => {
  attempt(() => storage().setItem(key, JSON.stringify(call)));
};

/** Return the stored call and remove it from the storage. */
export const loadUnfinished = (storage: () => Storage, key: string): Unfinished | undefined => {
  const text = attempt(() => storage().getItem(key));
  attempt(() => storage().removeItem(key));
  const call = text ? attempt(() => JSON.parse(text) as Unfinished) : undefined;
  if (!call) return undefined;
  const away = Math.max(0, Date.now() - call.leftAt) / 1000;
  if (away >= MESSAGE_SECONDS) return undefined;
  const seconds = call.seconds === undefined ? undefined : call.seconds + away;
  return { ...call, seconds, isOver: away >= call.resumeSeconds };
};

/** Message to the agents that the server has not acknowledged. */
export type OutgoingMessage = {
  callId: string;
  id: string;
  text: string;
  name: string;
  email: string;
  at: number;
};

/** Store a message, so that it survives a reload; `undefined` removes it. */
export const keepMessage = (key: string, message: OutgoingMessage | undefined): void => {
  attempt(() =>
    message
      ? sessionStorage.setItem(`${key}.message`, JSON.stringify(message))
      : sessionStorage.removeItem(`${key}.message`),
  );
};

export const keptMessage = (key: string): OutgoingMessage | undefined => {
  const text = attempt(() => sessionStorage.getItem(`${key}.message`));
  const message = text ? attempt(() => JSON.parse(text) as OutgoingMessage) : undefined;
  return message && Date.now() - message.at < MESSAGE_SECONDS * 1000 ? message : undefined;
};

const smallKey = (site: string) => `visavis.small.${site}`;

/** Whether the visitor made the widget of this site small on an earlier page. */
export const isMadeSmall = (site: string): boolean =>
  attempt(() => localStorage.getItem(smallKey(site))) === "1";

export const rememberSmall = (site: string, isSmall: boolean): void => {
  attempt(() =>
    isSmall ? localStorage.setItem(smallKey(site), "1") : localStorage.removeItem(smallKey(site)),
  );
};

export const preferredDevices = (): Devices =>
  attempt(() => JSON.parse(localStorage.getItem(DEVICES) ?? "{}") as Devices) ?? {};

export const preferDevices = (devices: Devices): void => {
  attempt(() => localStorage.setItem(DEVICES, JSON.stringify(devices)));
};
