// Made by `make generated` of the structs in src/visavis/protocol; do not edit.

export type Media = "audio" | "video";

export type Party = "agent" | "system" | "visitor";

/** Checks whether the other end is alive; either end may send it. The answer is a `Pong`. */
export type Ping = {
  type: "ping";
};

/** Immediate answer to a `Ping`. */
export type Pong = {
  type: "pong";
};

/** The visitor and their page, so that an agent can invite them; sent at every change. */
export type Here = {
  type: "here";
  page?: string;
  name?: string;
  email?: string;
};

/** Test the way to the media port before a call; `offer` has one inactive m-section. */
export type Probe = {
  type: "probe";
  offer: string;
};

/** Call the site's agents; `offer` is the visitor's SDP for link 1. */
export type PlaceCall = {
  type: "call";
  media: Media;
  offer: string;
  name?: string;
  email?: string;
  agreed?: boolean;
  invitation?: string;
};

/** An SDP offer for a link: the visitor's first one, or a renegotiation of either page. */
export type Offer = {
  type: "offer";
  callId: string;
  link: number;
  sdp: string;
  screenMid?: string;
};

/** The SDP answer to an `Offer` of the same link; it arrives with our transport. */
export type Answer = {
  type: "answer";
  callId: string;
  link: number;
  sdp: string;
  screenMid?: string;
  isRepeated?: boolean;
};

/** Resume the call on a page that has lost its socket or was reloaded. */
export type Resume = {
  type: "resume";
  callId: string;
  secret?: string;
  hasMedia?: boolean;
};

/** Request a new link: this page's link carries no media and its ICE agent has failed. */
export type Relink = {
  type: "relink";
  callId: string;
  link: number;
};

/** A chat line of the call. */
export type Say = {
  type: "say";
  callId: string;
  text: string;
  id?: string;
};

/** Leave a message for the agents after a missed call. */
export type LeaveMessage = {
  type: "leaveMessage";
  callId: string;
  text: string;
  name?: string;
  email?: string;
  id?: string;
};

/** Leave the call. While it rings, this cancels it. */
export type HangUp = {
  type: "hangUp";
  callId: string;
};

/** Whether calls may ring at this agent's consoles; sent to all of them when it changes. */
export type Presence = {
  type: "presence";
  isAvailable: boolean;
};

/** Accept a ringing call; the first agent gets it. `media` is what the agent sends. */
export type Accept = {
  type: "accept";
  callId: string;
  media?: Media;
};

/** Decline a ringing call; it rings on at the other agents. */
export type Decline = {
  type: "decline";
  callId: string;
};

/** Start, pause or resume the recording. */
export type Record = {
  type: "record";
  callId: string;
  action: "pause" | "resume" | "start";
};

/** Invite a visitor who is on a page of the site into a call. */
export type Invite = {
  type: "invite";
  visitorId: string;
  media: Media;
};

/** Ring another agent for the sender's call; the sender keeps it until that agent has it. */
export type Transfer = {
  type: "transfer";
  callId: string;
  agentId: number;
  note?: string;
};

/** Whether calls may be placed and whether they are recorded; sent at first and at every change. */
export type Availability = {
  type: "availability";
  isEnabled: boolean;
  isRecorded: boolean;
  needsAgreement: boolean;
  isStaffed: boolean;
};

/** STUN and TURN servers for future links. */
export type IceServers = {
  type: "iceServers";
  servers: IceServer[];
  hasRelay: boolean;
};

/** W3C RTCIceServer. */
export type IceServer = {
  urls: string[];
  username: string;
  credential: string;
};

/** The call has reached `state` at `at`, on link `link`. */
export type CallStateChanged = {
  type: "callState";
  callId: string;
  state: string;
  at: string;
  link: number;
  agentName: string;
  visitorName: string;
};

/** Link `link` carries media; the page may close older ones. */
export type Linked = {
  type: "linked";
  callId: string;
  link: number;
};

/** A chat line, sent to both pages of the call; `id` is that of its `Say`. */
export type Said = {
  type: "said";
  callId: string;
  by: Party;
  text: string;
  at: string;
  id: string;
};

/** The latest chat lines of the call, for a page that may have missed some of them. */
export type Transcript = {
  type: "transcript";
  callId: string;
  lines: TextLine[];
};

export type TextLine = {
  by: Party;
  text: string;
  at: string;
  id: string;
};

/** State of the recording, the time of its last change, and the party that made it. */
export type RecordingChanged = {
  type: "recording";
  callId: string;
  state: "off" | "on" | "paused";
  since: string;
  by: Party;
};

/** Quality of this page's leg, measured by the media worker. */
export type Quality = {
  type: "quality";
  callId: string;
  mos: number | null;
  loss: number;
  jitter: number;
  roundTrip: number | null;
};

/** The call is over for this page; `reason` is a name of `EndReason`. */
export type Ended = {
  type: "ended";
  callId: string;
  reason: string;
  by: Party;
};

/** A request was refused; `error` is a name of `ErrorKind`. */
export type Refused = {
  type: "refused";
  error: string;
  message: string;
  callId: string | null;
  id: string | null;
  code: string;
  parameters: { [name: string]: string | number };
};

/** The visitor's `LeaveMessage` is stored for the agents. */
export type MessageKept = {
  type: "messageKept";
  callId: string;
};

/** Answer to the offer of a `Probe`: connect, and see whether that succeeds. */
export type Probed = {
  type: "probed";
  sdp: string;
};

/** The call exists; with `secret` the page can resume it within `resume_seconds`. */
export type Calling = {
  type: "calling";
  callId: string;
  isRecorded: boolean;
  resumeSeconds: number;
  secret: string;
};

/** All agents are busy or away; `place` counts from 1. Sent again whenever it changes. */
export type Queued = {
  type: "queued";
  callId: string;
  place: number;
};

/** Create a peer connection for this link and send its `Offer`; keep the older one for now. */
export type Connect = {
  type: "connect";
  callId: string;
  link: number;
};

/** Our transport, before an agent answers: connect, but send nothing (RFC 9429 §4.1.10.1). */
export type ProvisionalAnswer = {
  type: "provisionalAnswer";
  callId: string;
  link: number;
  sdp: string;
};

/** An agent invites the visitor: accept by `PlaceCall` with this `invitation`, or do nothing. */
export type Invited = {
  type: "invited";
  invitation: string;
  agentName: string;
  media: Media;
};

/** The agent who is signed in, and the server's time `now`, from which ages are counted. */
export type Welcome = {
  type: "welcome";
  agentName: string;
  siteId: number;
  mayAcceptCalls: boolean;
  now: string;
  agentId: number;
  isAvailable: boolean;
};

/** A visitor calls, or, with `transferred_by`, an agent transfers a call. */
export type Ring = {
  type: "ring";
  callId: string;
  media: Media;
  visitorName: string;
  isRecorded: boolean;
  since: string;
  resumeSeconds: number;
  visitorEmail: string;
  transferredBy: string;
  note: string;
};

/** A call no longer rings here: another agent has it, or it has ended. */
export type RingStopped = {
  type: "ringStopped";
  callId: string;
  reason: string;
};

/** This console has the call without having accepted it: by invitation, or after a `Resume`. */
export type Mine = {
  type: "mine";
  callId: string;
  media: Media;
  visitorName: string;
  isRecorded: boolean;
  since: string;
  resumeSeconds: number;
  visitorEmail: string;
  transferringTo: number;
};

/** The site's agents who have a console open; sent at every change. */
export type Team = {
  type: "team";
  members: TeamMember[];
};

export type TeamMember = {
  agentId: number;
  name: string;
  state: "available" | "away" | "busy";
};

/** The calls that wait for a free agent, in the order in which they are served. */
export type Queue = {
  type: "queue";
  calls: Waiting[];
};

export type Waiting = {
  callId: string;
  visitorName: string;
  media: Media;
  since: string;
};

/** Visitors on the site's pages who are in no call: at most 100, sent at most once a second. */
export type Visitors = {
  type: "visitors";
  visitors: PageVisitor[];
  count: number;
};

export type PageVisitor = {
  visitorId: string;
  name: string;
  page: string;
  since: string;
};

/** The list of past calls has changed: a call has ended, or a visitor has left a message. */
export type PastCalls = {
  type: "pastCalls";
  revision: number;
};

/** The other agent did not take the call, so it stays with this agent. */
export type TransferFailed = {
  type: "transferFailed";
  callId: string;
  reason: string;
};

export type Check = Ping | Pong;

export type FromVisitor = Here | Probe | PlaceCall | Offer | Answer | Resume | Relink | Say | LeaveMessage | HangUp;

export type FromAgent = Presence | Accept | Decline | Offer | Answer | Resume | Relink | Say | Record | Invite | Transfer | HangUp;

export type ToVisitor = Availability | IceServers | Offer | Answer | CallStateChanged | Linked | Said | Transcript | RecordingChanged | Quality | Ended | Refused | MessageKept | Probed | Calling | Queued | Connect | ProvisionalAnswer | Invited;

export type ToAgent = Availability | IceServers | Offer | Answer | CallStateChanged | Linked | Said | Transcript | RecordingChanged | Quality | Ended | Refused | Welcome | Presence | Ring | RingStopped | Mine | Team | Queue | Visitors | PastCalls | TransferFailed;
