// The signalling messages; docs/protocol.md describes them, a test holds the names to the server's.

export type Media = "audio" | "video";
export type Party = "visitor" | "agent" | "system";

/** Is the other end still there? Answered at once with a `Pong`, by either side. */
export type Ping = { type: "ping" };
export type Pong = { type: "pong" };

// From either page

export type HangUp = { type: "hangUp"; callId: string };
export type Description = { callId: string; link: number; sdp: string; screenMid?: string };
export type Offer = { type: "offer" } & Description;
export type Answer = { type: "answer" } & Description;
export type ProvisionalAnswer = { type: "provisionalAnswer" } & Description;
export type Resume = { type: "resume"; callId: string; secret?: string; hasMedia?: boolean };
export type Relink = { type: "relink"; callId: string; link: number };
export type Say = { type: "say"; callId: string; text: string; id: string };

type FromEither = HangUp | Offer | Answer | Resume | Relink | Say;

export type FromVisitor =
  | FromEither
  | { type: "here"; page: string; name?: string; email?: string }
  | { type: "probe"; offer: string }
  | {
      type: "call";
      media: Media;
      offer: string;
      name?: string;
      email?: string;
      agreed?: boolean;
      invitation?: string;
    }
  | { type: "leaveMessage"; callId: string; id: string; text: string; name?: string; email?: string };

export type FromAgent =
  | FromEither
  | { type: "accept"; callId: string; media?: Media }
  | { type: "decline"; callId: string }
  | Presence
  | { type: "invite"; visitorId: string; media: Media }
  | { type: "transfer"; callId: string; agentId: number; note: string }
  | { type: "record"; callId: string; action: "start" | "pause" | "resume" };

// To either page

export type Availability = {
  type: "availability";
  isEnabled: boolean;
  isRecorded: boolean;
  needsAgreement: boolean;
  /** Whether an agent is on duty. */
  isStaffed?: boolean;
};
export type IceServers = { type: "iceServers"; servers: RTCIceServer[]; hasRelay?: boolean };
export type CallState = {
  type: "callState";
  callId: string;
  state: string;
  at: string;
  link: number;
  agentName: string;
  visitorName: string;
};
export type Linked = { type: "linked"; callId: string; link: number };
export type TextLine = { by: Party; text: string; at: string; id: string };
export type Said = { type: "said"; callId: string } & TextLine;
export type Transcript = { type: "transcript"; callId: string; lines: TextLine[] };
export type RecordingState = {
  type: "recording";
  callId: string;
  state: "off" | "on" | "paused";
  since: string;
  by: Party;
};
export type Quality = {
  type: "quality";
  callId: string;
  mos: number | null;
  loss: number;
  jitter: number;
  roundTrip: number | null;
};
export type Ended = { type: "ended"; callId: string; reason: string; by: Party };
/** The errors that end a page's own call: it is over, or belongs to somebody else by now. */
export const CALL_IS_GONE = ["EntityNotFound", "PermissionDenied"];
export type Refused = {
  type: "refused";
  error: string;
  message: string;
  callId: string | null;
  id?: string | null;
};

type ToEither =
  | Availability
  | IceServers
  | Offer
  | Answer
  | CallState
  | Linked
  | Said
  | Transcript
  | RecordingState
  | Quality
  | Ended
  | Refused;

export type ToVisitor =
  | ToEither
  | { type: "calling"; callId: string; isRecorded: boolean; secret: string; resumeSeconds: number }
  | { type: "queued"; callId: string; place: number }
  | { type: "connect"; callId: string; link: number }
  | ProvisionalAnswer
  | { type: "messageKept"; callId: string }
  | { type: "probed"; sdp: string }
  | { type: "invited"; invitation: string; agentName: string; media: Media };

// To the agent's page

export type Ring = {
  type: "ring";
  callId: string;
  media: Media;
  visitorName: string;
  visitorEmail: string;
  isRecorded: boolean;
  since: string;
  transferredBy: string;
  note: string;
};
export type Mine = {
  type: "mine";
  callId: string;
  media: Media;
  visitorName: string;
  isRecorded: boolean;
  since: string;
  visitorEmail: string;
};
/** Whether calls may ring at this agent's consoles. */
export type Presence = { type: "presence"; isAvailable: boolean };
export type TeamMember = { agentId: number; name: string; state: "available" | "busy" | "away" };
export type Waiting = { callId: string; visitorName: string; media: Media; since: string };
export type PageVisitor = { visitorId: string; name: string; page: string; since: string };

export type ToAgent =
  | ToEither
  | {
      type: "welcome";
      agentId: number;
      agentName: string;
      siteId: number;
      mayAcceptCalls: boolean;
      /** The server's time. */
      now: string;
      isAvailable: boolean;
    }
  | Presence
  | Ring
  | { type: "ringStopped"; callId: string; reason: string }
  | Mine
  | { type: "team"; members: TeamMember[] }
  | { type: "queue"; calls: Waiting[] }
  | { type: "visitors"; visitors: PageVisitor[]; count: number }
  | { type: "pastCalls"; revision: number }
  | { type: "transferFailed"; callId: string; reason: string };
