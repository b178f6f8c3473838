import { endedForAgent, t } from "../shared/i18n/en-pages";
import { ServerClock } from "../call/server-clock";
import { CallSession } from "../call/call-session";
import type { Conversation } from "../call/conversation";
import { unsentOf } from "../call/lines";
import type { Unfinished } from "../call/resume-storage";
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
import { errors } from "../shared/i18n/en-errors";
import { sentenceOf } from "../shared/refusal";

/** Ringing call. Once it has stopped ringing, `stopped` has the reason, and it can no longer be accepted. */
export type RingingCall = Ring & { stopped?: string };
/** State that decides whether calls ring on this page. */
export type AgentState = "over" | "reconnecting" | "mayNot" | "disabled" | "inCall" | "away" | "available";
/** Milliseconds for which a stopped card keeps its place, so that a click meant for it does not hit the next one. */
const STOPPED_CARD = 3_000;

export type Stage = "idle" | "connecting" | "connected" | "reconnecting";

const STAGES: Record<string, Stage> = { connected: "connected", reconnecting: "reconnecting" };

/** Session of an agent's page, without its user interface: presence, ringing calls, queue, visitors, team and call. */
export class AgentSession extends CallSession<ToAgent, FromAgent> {
  stage: Stage = "idle";
  agentId = 0;
  agentName = "";
  mayAccept = true;
  isAvailable = true;
  isEnabled = false;
  /** Whether the join link is no longer valid. */
  isOver = false;
  /** Ringing calls, oldest first; a call that has stopped ringing stays for a moment. */
  rings: RingingCall[] = [];
  queue: Waiting[] = [];
  visitors: PageVisitor[] = [];
  visitorCount = 0;
  team: TeamMember[] = [];
  /** Name of the colleague to whom this call is being transferred. */
  transferringTo = "";
  invitedId = "";
  /** Changes whenever the list of past calls may have changed: after each change, and after each reconnect. */
  pastCallsRevision = "";
  readonly clock = new ServerClock();
  private callId = "";
  private opening: Promise<Conversation | undefined> = Promise.resolve(undefined);
  /** Whether the page was loaded again during the call and is still opening its devices. */
  private isResuming = false;
  /** Whether the server has received this page's Accept. */
  private hasAccepted = false;
  private connections = 0;
  /** Number of times that the socket was lost or could not be opened. */
  disconnections = 0;
  /** Whether the call of the join link took place on this page. */
  hasEndedCall = false;
  private wasInCall = false;

  constructor(
    url: string,
    storageKey: string,
    /** Whether the page is for the one call of a join link. */
    private readonly isJoin = false,
  ) {
    super("agent", () => localStorage, storageKey);
    this.start(url);
  }

  /** Calls that can be accepted. */
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

  async accept(ring: Ring, media: Media): Promise<void> {
    if (this.hasCall) return;
    const { visitorEmail, transferredBy, note } = ring;
    this.resumeSeconds = ring.resumeSeconds;
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
    this.abandon({ callId: this.callId }, !this.isResuming);
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

  protected receive(message: ToAgent): void {
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

  /** Pass a message to the conversation, in order, once the devices have been opened. */
  private async hearOfCall(message: Parameters<Conversation["hear"]>[0]): Promise<void> {
    const conversation = await this.opening;
    if (!conversation || message.callId !== this.callId) return;
    conversation.hear(message);
    if (message.type === "callState") this.stage = STAGES[message.state] ?? this.stage;
    this.wasInCall ||= this.stage === "connected";
    this.changed();
  }

  /** Stop the ringing, also if the agent has accepted while the browser still asks for the devices. */
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

  /** Join a call that is this page's without having been accepted here: invited by it, or resumed. */
  private async take(mine: Mine): Promise<void> {
    const { callId, media, visitorName, visitorEmail, resumeSeconds, transferringTo } = mine;
    this.resumeSeconds = resumeSeconds;
    this.transferringTo = this.team.find(({ agentId }) => agentId === transferringTo)?.name ?? "";
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
    const signal = this.newAcquisition();
    this.changed();
    this.opening = this.begin(callId, media, visitorName, signal);
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
      return Object.assign(this.beginConversation(own), { callId, otherName: visitorName });
    } catch (error) {
      if (signal.aborted) return undefined;
      if (this.isResuming) this.abandon({ callId });
      this.finish((error as Error).message);
      return undefined;
    }
  }

  private refused(refused: Refused): void {
    const { error, code, callId } = refused;
    const message = sentenceOf(errors, refused);
    if (this.isRefusedLine(refused)) {
      this.notice = message;
      return;
    }
    if (this.hasCall && callId === this.callId) {
      if (code === "CallOfColleague") return this.finish(message);
      if (CALL_IS_GONE.includes(error)) return this.finish(t("ended.hungUp"));
      if (this.stage === "connecting") return this.finish(message);
    }
    this.transferringTo = "";
    this.invitedId = "";
    this.notice = message;
  }

  /** The agent was signed out, disabled or lost the permission, so the server has ended the call. */
  protected refusedByServer(): boolean {
    if (this.hasCall) this.finish(t("rightsEnded"));
    this.endLink();
    return this.isOver;
  }

  /** Close a page of a join link: the link is for one call and no longer valid once that is over. */
  private endLink(): void {
    if (!this.isJoin || this.isOver) return;
    this.isOver = true;
    this.hasEndedCall = this.wasInCall;
    this.signaling.close();
    this.changed();
  }

  protected override disconnected(): void {
    this.disconnections += 1;
    Object.assign(this, { rings: [], queue: [], visitors: [], team: [], transferringTo: "" });
  }

  protected giveUp(): void {
    this.finish(endedForAgent("failed"));
  }

  protected greet(): void {
    this.connections += 1;
    this.hangUpAbandoned();
    const { callId, conversation } = this;
    if (!callId || this.isResuming) return;
    this.resumeOnServer({ callId }, conversation?.hasMedia ?? false);
  }

  /** Resume the call after the page was reloaded. */
  protected async resume(unfinished: Unfinished): Promise<void> {
    const { callId, media, otherName, hasCamera } = unfinished;
    this.isResuming = true;
    this.resumeSeconds = unfinished.resumeSeconds;
    const opening = this.open(callId, hasCamera ? "video" : "audio", otherName);
    const { signal } = this.acquisition;
    const conversation = await opening;
    if (!conversation) this.unsent = unsentOf(unfinished);
    if (!conversation || signal.aborted) return;
    this.isResuming = false;
    this.hasAccepted = true;
    this.media = media;
    this.stage = "reconnecting";
    this.restore(conversation, unfinished);
    if (this.signaling.isOpen) this.resumeOnServer({ callId }, conversation.hasMedia);
  }

  protected loseCall(unfinished: Unfinished): void {
    this.unsent = unsentOf(unfinished);
  }

  protected override leave(): void {
    super.leave();
    this.isResuming = false;
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
