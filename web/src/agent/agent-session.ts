import { endedForAgent, t } from "../shared/i18n/en-pages";
import { ServerClock } from "../call/server-clock";
import { Conversation, unsentOf } from "../call/conversation";
import { keep, loadUnfinished, type Unfinished } from "../call/resume-storage";
import { LocalMedia } from "../call/local-media";
import {
  type Availability,
  type FromAgent,
  type Media,
  type Mine,
  type PageVisitor,
  type Refused,
  type Ring,
  type TeamMember,
  type ToAgent,
  type Waiting,
} from "../generated/signaling";
import { CALL_IS_GONE } from "../call/refusals";
import { Signaling } from "../call/signaling";
import { Observable } from "../shared/observable";
import { errors } from "../shared/i18n/en-errors";
import { sentenceOf } from "../shared/refusal";

/** A ringing call; `stopped` says why it rings no more, and then it can no longer be taken. */
export type RingingCall = Ring & { stopped?: string };
/** The one truth about whether calls ring here. */
export type AgentState = "over" | "reconnecting" | "mayNot" | "disabled" | "inCall" | "away" | "available";
/** Milliseconds for which a stopped card keeps its place, so that a click meant for it does not hit the next one. */
const STOPPED_CARD = 3_000;

export type Stage = "idle" | "connecting" | "connected" | "reconnecting";

const RESUME_SECONDS = 30;
const STAGES: Record<string, Stage> = { connected: "connected", reconnecting: "reconnecting" };

/** The agent's side: what rings, who waits, who is here, and the call; shows nothing. */
export class AgentSession extends Observable {
  stage: Stage = "idle";
  agentId = 0;
  agentName = "";
  mayAccept = true;
  isAvailable = true;
  isOnline = false;
  isEnabled = false;
  /** Whether the server knows the join link no longer. */
  isOver = false;
  /** Ringing calls, oldest first; a call that has stopped ringing stays for a moment. */
  rings: RingingCall[] = [];
  queue: Waiting[] = [];
  visitors: PageVisitor[] = [];
  visitorCount = 0;
  team: TeamMember[] = [];
  conversation: Conversation | undefined;
  notice = "";
  /** Lines that the agent wrote and that the visitor has not received, kept until it is dismissed. */
  unsent = "";
  /** The colleague who is being rung for this call. */
  transferringTo = "";
  invitedId = "";
  /** Another text whenever the list of past calls may be another: after a change, and after a lost socket. */
  pastCallsRevision = "";
  readonly clock = new ServerClock();
  private media: Media = "video";
  private callId = "";
  private opening: Promise<Conversation | undefined> = Promise.resolve(undefined);
  /** Aborted when nobody wants the devices any more that the browser may still be asking for. */
  private acquisition = new AbortController();
  /** Whether the page was loaded again during the call and is still opening its devices. */
  private isResuming = false;
  /** Whether the server has received this page's Accept. */
  private hasAccepted = false;
  private iceServers: RTCIceServer[] = [];
  private patience = 0;
  private connections = 0;
  private forsaken = "";
  /** Whether that call took place on this page. */
  hasEndedCall = false;
  private wasInCall = false;
  private readonly signaling: Signaling<ToAgent, FromAgent>;
  private readonly onPageHide = () => this.remember();

  constructor(
    url: string,
    private readonly memoryKey: string,
    private readonly onClosed: () => void,
    /** Whether the page is for the one call of a join link. */
    private readonly isJoin = false,
  ) {
    super();
    this.signaling = new Signaling<ToAgent, FromAgent>(
      url,
      (m) => this.hear(m),
      (open) => this.onOpen(open),
      () => this.hasCall,
      () => this.refusedByServer(),
    );
    addEventListener("pagehide", this.onPageHide);
    const unfinished = loadUnfinished(() => localStorage, memoryKey);
    if (unfinished?.isOver) this.unsent = unsentOf(unfinished);
    else if (unfinished) void this.resume(unfinished);
  }

  /** The calls that can be taken. */
  get ringing(): Ring[] {
    return this.rings.filter(({ stopped }) => stopped === undefined);
  }

  get state(): AgentState {
    if (this.isOver) return "over";
    if (!this.isOnline) return "reconnecting";
    if (!this.mayAccept) return "mayNot";
    if (this.hasCall) return "inCall";
    if (!this.isEnabled) return "disabled";
    return this.isAvailable ? "available" : "away";
  }

  get hasCall(): boolean {
    return this.callId !== "";
  }

  close(): void {
    removeEventListener("pagehide", this.onPageHide);
    this.leave();
    this.signaling.close();
  }

  async accept(ring: Ring, media: Media): Promise<void> {
    if (this.hasCall) return;
    const { visitorEmail, transferredBy, note } = ring;
    const conversation = await this.open(ring.callId, media, ring.visitorName);
    if (!conversation) return;
    conversation.details = { visitorEmail, transferredBy, note };
    this.hasAccepted = true;
    this.signaling.send({ type: "accept", callId: ring.callId, media });
  }

  decline({ callId }: Ring): void {
    this.signaling.send({ type: "decline", callId });
    this.stopRinging(callId, "declined");
    this.changed();
  }

  hangUp(): void {
    const { callId } = this;
    if (this.isResuming) this.forsake(callId);
    else if (this.signaling.isOpen) this.signaling.send({ type: "hangUp", callId });
    else this.forsaken = callId;
    this.finish("");
    this.endLink();
  }

  setAvailable(isAvailable: boolean): void {
    this.isAvailable = isAvailable;
    this.signaling.send({ type: "presence", isAvailable });
    this.changed();
  }

  invite({ visitorId }: PageVisitor, media: Media): void {
    this.signaling.send({ type: "invite", visitorId, media });
    this.invitedId = visitorId;
    this.changed();
  }

  transfer({ agentId, name }: TeamMember, note = ""): void {
    this.signaling.send({ type: "transfer", callId: this.callId, agentId, note });
    this.transferringTo = name;
    this.changed();
  }

  record(action: "start" | "pause" | "resume"): void {
    this.signaling.send({ type: "record", callId: this.callId, action });
  }

  dismissNotice(): void {
    this.notice = "";
    this.changed();
  }

  dismissUnsent(): void {
    this.unsent = "";
    this.changed();
  }

  private hear(message: ToAgent): void {
    switch (message.type) {
      case "welcome":
        this.agentId = message.agentId;
        this.agentName = message.agentName;
        this.mayAccept = message.mayAcceptCalls;
        this.isAvailable = message.isAvailable;
        this.clock.set(message.now);
        break;
      case "presence":
        this.isAvailable = message.isAvailable;
        break;
      case "availability":
        this.isEnabled = (message satisfies Availability).isEnabled;
        break;
      case "iceServers":
        this.iceServers = message.servers;
        break;
      case "ring":
        this.ringHere(message);
        break;
      case "ringStopped":
        this.ringStopped(message.callId, message.reason);
        break;
      case "mine":
        void this.take(message);
        break;
      case "refused":
        this.refused(message);
        break;
      default:
        this.hearMore(message);
    }
    this.changed();
  }

  private hearMore(
    message: Exclude<
      ToAgent,
      {
        type:
          | "welcome"
          | "presence"
          | "availability"
          | "iceServers"
          | "ring"
          | "ringStopped"
          | "mine"
          | "refused";
      }
    >,
  ): void {
    switch (message.type) {
      case "team":
        this.team = message.members;
        break;
      case "queue":
        this.queue = message.calls;
        break;
      case "visitors":
        this.visitors = message.visitors;
        this.visitorCount = message.count;
        break;
      case "pastCalls":
        this.pastCallsRevision = `${this.connections}.${message.revision}`;
        break;
      case "transferFailed":
        this.notice = t("transferFailed").replace("%", this.transferringTo);
        this.transferringTo = "";
        break;
      case "ended":
        if (message.callId !== this.callId) break;
        this.finish(endedForAgent(message.reason));
        this.endLink();
        break;
      default:
        if (message.callId === this.callId) void this.hearOfCall(message);
    }
  }

  /** In the order in which things were told, also while the camera is still being opened. */
  private async hearOfCall(message: Parameters<Conversation["hear"]>[0]): Promise<void> {
    const conversation = await this.opening;
    if (!conversation || message.callId !== this.callId) return;
    conversation.hear(message);
    if (message.type === "callState") this.stage = STAGES[message.state] ?? this.stage;
    this.wasInCall ||= this.stage === "connected";
    this.changed();
  }

  /** The call may have stopped ringing while the browser was still asking for the devices. */
  private ringStopped(callId: string, reason: string): void {
    this.stopRinging(callId, reason);
    if (callId !== this.callId || this.hasAccepted) return;
    this.finish(reason === "accepted" ? t("takenByColleague") : endedForAgent(reason));
  }

  private ringHere(ring: Ring): void {
    const isKnown = this.rings.some(({ callId }) => callId === ring.callId);
    this.rings = isKnown
      ? this.rings.map((known) => (known.callId === ring.callId ? ring : known))
      : [...this.rings, ring];
  }

  private stopRinging(callId: string, stopped: string): void {
    if (!this.ringing.some((ring) => ring.callId === callId)) return;
    this.rings = this.rings.map((ring) => (ring.callId === callId ? { ...ring, stopped } : ring));
    setTimeout(() => {
      this.rings = this.rings.filter((ring) => ring.callId !== callId || ring.stopped === undefined);
      this.changed();
    }, STOPPED_CARD);
  }

  /** The call belongs to this page without an Accept: by invitation, or resumed. */
  private async take({ callId, media, visitorName, visitorEmail }: Mine): Promise<void> {
    if (callId === this.callId) {
      this.hasAccepted = true;
      return;
    }
    const conversation = await this.open(callId, media, visitorName);
    if (conversation) conversation.details = { visitorEmail, transferredBy: "", note: "" };
    else this.signaling.send({ type: "hangUp", callId });
  }

  private open(callId: string, media: Media, visitorName: string): Promise<Conversation | undefined> {
    Object.assign(this, { callId, media, stage: "connecting", notice: "", invitedId: "" });
    this.hasAccepted = false;
    this.acquisition = new AbortController();
    this.changed();
    this.opening = this.begin(callId, media, visitorName, this.acquisition.signal);
    return this.opening;
  }

  private async begin(
    callId: string,
    media: Media,
    visitorName: string,
    signal: AbortSignal,
  ): Promise<Conversation | undefined> {
    try {
      const own = await LocalMedia.open(media, signal);
      const conversation = new Conversation("agent", own, {
        send: (message) => this.signaling.send(message),
        isOpen: () => this.signaling.isOpen,
        iceServers: () => this.iceServers,
      });
      Object.assign(conversation, { callId, otherName: visitorName });
      conversation.addEventListener("change", () => this.changed());
      this.conversation = conversation;
      return conversation;
    } catch (error) {
      if (signal.aborted) return undefined;
      if (this.isResuming) this.forsake(callId);
      this.finish((error as Error).message);
      return undefined;
    }
  }

  private refused(refused: Refused): void {
    const { error, callId, id } = refused;
    const message = sentenceOf(errors, refused);
    if (id && this.conversation?.refuse(id) && !CALL_IS_GONE.includes(error)) {
      this.notice = message;
      return;
    }
    if (this.hasCall && callId === this.callId) {
      if (CALL_IS_GONE.includes(error)) return this.finish(t("ended.hungUp"));
      if (this.stage === "connecting") return this.finish(message);
    }
    this.transferringTo = "";
    this.invitedId = "";
    this.notice = message;
  }

  /** Signed out, disabled, or no longer permitted to accept calls: the server has ended the call. */
  private refusedByServer(): boolean {
    if (this.hasCall) this.finish(t("rightsEnded"));
    this.endLink();
    return this.isOver;
  }

  /** A link is for one call: once that is over, the server lets nobody in by it. */
  private endLink(): void {
    if (!this.isJoin || this.isOver) return;
    this.isOver = true;
    this.hasEndedCall = this.wasInCall;
    this.signaling.close();
    this.changed();
  }

  private onOpen(isOpen: boolean): void {
    this.isOnline = isOpen;
    clearTimeout(this.patience);
    if (isOpen) {
      this.connections += 1;
      this.greet();
    } else {
      this.onClosed();
      Object.assign(this, { rings: [], queue: [], visitors: [], team: [], transferringTo: "" });
      if (this.hasCall)
        this.patience = window.setTimeout(() => this.finish(endedForAgent("failed")), RESUME_SECONDS * 1000);
    }
    this.changed();
  }

  private greetForsaken(): void {
    const callId = this.forsaken;
    if (!callId) return;
    this.signaling.send({ type: "resume", callId, hasMedia: true });
    this.signaling.send({ type: "hangUp", callId });
    this.forsaken = "";
  }

  private greet(): void {
    const { callId, conversation } = this;
    this.greetForsaken();
    if (this.isResuming) return;
    if (!callId) return;
    this.signaling.send({ type: "resume", callId, hasMedia: conversation?.hasMedia ?? false });
    conversation?.sendPending();
  }

  /** Resume the call after the page was reloaded. */
  private async resume(unfinished: Unfinished): Promise<void> {
    const { callId, media, otherName, seconds, lines, pending, draft, details, hasCamera, isMuted } =
      unfinished;
    this.isResuming = true;
    const opening = this.open(callId, hasCamera ? "video" : "audio", otherName);
    const { signal } = this.acquisition;
    const conversation = await opening;
    if (!conversation) this.unsent = unsentOf(unfinished);
    if (!conversation || signal.aborted) return;
    this.isResuming = false;
    this.hasAccepted = true;
    this.media = media;
    this.stage = "reconnecting";
    Object.assign(conversation, { lines, pending, draft, details });
    conversation.connectedFor(seconds);
    conversation.own.setMuted(isMuted);
    if (this.signaling.isOpen) this.greet();
  }

  /** Leave a call that this page has not taken up again. */
  private forsake(callId: string): void {
    this.forsaken = callId;
    if (this.signaling.isOpen) this.greetForsaken();
  }

  private remember(): void {
    const { conversation, media, callId } = this;
    if (!conversation) return;
    const { seconds, otherName, lines, pending, draft, details, own } = conversation;
    const now = { isMuted: own.isMuted, hasCamera: !!own.camera, leftAt: Date.now() };
    keep(() => localStorage, this.memoryKey, {
      callId,
      secret: "",
      media,
      seconds,
      otherName,
      lines,
      pending,
      draft,
      details,
      resumeSeconds: RESUME_SECONDS,
      ...now,
    });
  }

  private leave(): void {
    clearTimeout(this.patience);
    this.acquisition.abort();
    this.isResuming = false;
    this.conversation?.close();
    this.conversation = undefined;
    this.callId = "";
    this.opening = Promise.resolve(undefined);
  }

  private finish(notice: string): void {
    this.unsent = (this.conversation && unsentOf(this.conversation)) || this.unsent;
    this.leave();
    Object.assign(this, { stage: "idle", notice, transferringTo: "" });
    this.changed();
  }
}
