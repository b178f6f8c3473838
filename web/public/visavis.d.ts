/** Types of `window.visavis`, the script API of the Visavis widget. */

export type VisavisMedia = "audio" | "video";

/** The details that the listeners of each event receive. */
export interface VisavisEvents {
  /** Calls were switched on or off, or agents came on or went off duty (`isStaffed`). Without one a message can be left. */
  available: { isEnabled: boolean; isStaffed: boolean };
  /** An agent invites this visitor into a call. */
  invited: { agentName: string; media: VisavisMedia };
  ringing: { callId: string };
  /** `place` counts from 1. */
  queued: { callId: string; place: number };
  connecting: { callId: string; agentName: string };
  connected: { callId: string; agentName: string };
  reconnecting: { callId: string; agentName: string };
  /** `by` is who ended the call: `visitor`, `agent` or `system`. */
  ended: { callId: string; reason: string; by: string };
}

export interface VisavisApi {
  /** Opens the check before a call. */
  call(media?: VisavisMedia): void;
  /** Leaves the call, or cancels it. */
  hangUp(): void;
  /** Calls the listener at each event, and immediately if the event describes the present state. */
  on<Name extends keyof VisavisEvents>(event: Name, listener: (detail: VisavisEvents[Name]) => void): void;
  off<Name extends keyof VisavisEvents>(event: Name, listener: (detail: VisavisEvents[Name]) => void): void;
  /** Tells agents who the visitor is. `null` means none; a property that is left out stays as it is. */
  identify(person: { name?: string | null; email?: string | null }): void;
  /** Shows the widget and opens its card. */
  show(): void;
  /** Hides the widget until `show()`, a call or an invitation. */
  hide(): void;
  /** Makes the widget small: its round button, or a bar during a call. */
  minimize(): void;
  /** Ends the call, if there is one, and removes the widget; the script may be loaded again. */
  destroy(): void;
  /** Runs entries such as `["on", "ended", listener]`; works before the widget has loaded, too. */
  push(...entries: [name: string, ...values: unknown[]][]): void;
  /** Connection of the call in progress, for measurements. */
  readonly peerConnection: RTCPeerConnection | undefined;
}

declare global {
  interface Window {
    visavis?: VisavisApi | [name: string, ...values: unknown[]][];
  }
}
