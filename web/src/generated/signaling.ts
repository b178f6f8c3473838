// Made by `make generated` of the structs in src/visavis/protocol; do not edit.

export type Media = "audio" | "video";

export type Party = "agent" | "system" | "visitor";

/** Ask whether the other end is still there; either side may. The answer is a `Pong`. */
export type Ping = {
  type: "ping";
};

/** The answer to a `Ping`, at once. */
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

/** Before a call: does the way to the media port work? `offer` has one m-section, inactive. */
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

/** An SDP offer for a link: from the visitor its first, from either page a renegotiation. */
export type Offer = {
  type: "offer";
  callId: string;
  link: number;
  sdp: string;
  screenMid?: string;
};

/** The SDP answer to an `Offer` of the same link; arrives with our transport in it. */
export type Answer = {
  type: "answer";
  callId: string;
  link: number;
  sdp: string;
  screenMid?: string;
};

/** A page that has lost its socket, or was loaded anew, takes its call up again. */
export type Resume = {
  type: "resume";
  callId: string;
  secret?: string;
  hasMedia?: boolean;
};

/** This page's link no longer carries media and its ICE agent has given up: build another. */
export type Relink = {
  type: "relink";
  callId: string;
  link: number;
};

/** A line of text beside the call. */
export type Say = {
  type: "say";
  callId: string;
  text: string;
  id?: string;
};

/** After a call that nobody took: what the visitor wants to be told to the agents. */
export type LeaveMessage = {
  type: "leaveMessage";
  callId: string;
  text: string;
  name?: string;
  email?: string;
  id?: string;
};

/** Leave the call. While it rings this cancels it. */
export type HangUp = {
  type: "hangUp";
  callId: string;
};

/** Whether calls may ring at this agent's desks; told to all of them when it changes. */
export type Presence = {
  type: "presence";
  isAvailable: boolean;
};

/** Take a ringing call. The first agent to do so has it. `media` is what the agent sends. */
export type Accept = {
  type: "accept";
  callId: string;
  media?: Media;
};

/** Do not take a ringing call; it rings on for the other agents. */
export type Decline = {
  type: "decline";
  callId: string;
};

/** Start recording by hand, pause it, or go on with it. */
export type Record = {
  type: "record";
  callId: string;
  action: "pause" | "resume" | "start";
};

/** Ask a visitor who is on a page of the site into a call. */
export type Invite = {
  type: "invite";
  visitorId: string;
  media: Media;
};

/** Ring another agent for the call that I am in; it stays mine until they have it. */
export type Transfer = {
  type: "transfer";
  callId: string;
  agentId: number;
  note?: string;
};

/** The switch, as it is now and whenever it changes: may calls be placed, are they recorded. */
export type Availability = {
  type: "availability";
  isEnabled: boolean;
  isRecorded: boolean;
  needsAgreement: boolean;
  isStaffed: boolean;
};

/** STUN and TURN servers for links to come. */
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

/** Link `link` flows: older ones may go. */
export type Linked = {
  type: "linked";
  callId: string;
  link: number;
};

/** A line of text beside the call, to both its pages; `id` is that of its `Say`. */
export type Said = {
  type: "said";
  callId: string;
  by: Party;
  text: string;
  at: string;
  id: string;
};

/** The latest lines of the call, for a page that may have missed some of them. */
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

/** Whether the call is recorded, since when, and who had it so. */
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

/** The visitor's `LeaveMessage` is kept: the agents will find it. */
export type MessageKept = {
  type: "messageKept";
  callId: string;
};

/** The answer to a `Probe`'s offer: connect, and see whether that works. */
export type Probed = {
  type: "probed";
  sdp: string;
};

/** The call exists; `secret` takes it up again (`Resume`) within `resume_seconds`. */
export type Calling = {
  type: "calling";
  callId: string;
  isRecorded: boolean;
  resumeSeconds: number;
  secret: string;
};

/** Every agent is busy or away; `place` counts from 1. Again whenever it changes. */
export type Queued = {
  type: "queued";
  callId: string;
  place: number;
};

/** Make a peer connection for this link and send its `Offer`; the older one stays for now. */
export type Connect = {
  type: "connect";
  callId: string;
  link: number;
};

/** Our transport, before anybody has answered: connect, but send nothing (RFC 9429 §4.1.10.1). */
export type ProvisionalAnswer = {
  type: "provisionalAnswer";
  callId: string;
  link: number;
  sdp: string;
};

/** An agent asks you into a call: `PlaceCall` with this `invitation`, or do nothing. */
export type Invited = {
  type: "invited";
  invitation: string;
  agentName: string;
  media: Media;
};

/** The agent who is signed in here, and the server's time: ages are counted from that. */
export type Welcome = {
  type: "welcome";
  agentName: string;
  siteId: number;
  mayAcceptCalls: boolean;
  now: string;
  agentId: number;
  isAvailable: boolean;
};

/** A visitor calls; or, with `transferred_by`, an agent hands a call over. */
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

/** A call no longer rings here: another agent has it, or it is over. */
export type RingStopped = {
  type: "ringStopped";
  callId: string;
  reason: string;
};

/** This desk has the call without having accepted it: by invitation, or after a `Resume`. */
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

/** The site's agents who are on duty, whenever that changes. */
export type Team = {
  type: "team";
  members: TeamMember[];
};

export type TeamMember = {
  agentId: number;
  name: string;
  state: "available" | "away" | "busy";
};

/** The calls that wait for a free agent, first come first served. */
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

/** Visitors on the site's pages and in no call: at most 100, sent at most once a second. */
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

/** The other agent did not take the call; it is still yours. */
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
