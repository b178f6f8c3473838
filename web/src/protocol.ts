// The signalling messages; docs/protocol.md describes them, a test holds the names to the server's.

export type Media = "audio" | "video";
export type Party = "visitor" | "agent" | "system";

export type FromVisitor =
  | { type: "call"; media: Media; offer: string; name?: string; email?: string }
  | { type: "hangUp"; callId: string };

export type FromAgent =
  | { type: "accept"; callId: string }
  | { type: "decline"; callId: string }
  | { type: "answer"; callId: string; sdp: string }
  | { type: "hangUp"; callId: string };

export type Availability = { type: "availability"; isEnabled: boolean; isRecorded: boolean };
export type CallState = { type: "callState"; callId: string; state: string; at: string };
export type Ended = { type: "ended"; callId: string; reason: string; by: Party };
export type Refused = { type: "refused"; error: string; message: string; callId: string | null };
export type Ring = {
  type: "ring";
  callId: string;
  media: Media;
  visitorName: string;
  isRecorded: boolean;
  since: string;
};

export type ToVisitor =
  | Availability
  | { type: "calling"; callId: string; isRecorded: boolean }
  | { type: "answer"; callId: string; sdp: string }
  | CallState
  | Ended
  | Refused;

export type ToAgent =
  | Availability
  | { type: "welcome"; agentName: string; siteId: number; mayAcceptCalls: boolean }
  | Ring
  | { type: "ringStopped"; callId: string; reason: string }
  | { type: "offer"; callId: string; sdp: string }
  | CallState
  | Ended
  | Refused;
