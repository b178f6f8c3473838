import { endedBecause, t } from "../shared/i18n/en";
import { CallSession } from "../call/call-session";
import type { Conversation } from "../call/conversation";
import { unsentOf } from "../call/lines";
import { keepMessage, keptMessage, type OutgoingMessage, type Unfinished } from "../call/resume-storage";
import { LocalMedia } from "../call/local-media";
import {
  type Availability,
  type FromVisitor,
  type Media,
  type Refused,
  type ToVisitor,
} from "../generated/signaling";
import { CALL_IS_GONE } from "../call/refusals";
import { probe, type ConnectivityResult } from "./connectivity-check";
import type { EarlySocket } from "../call/signaling";
import { shorten } from "../shared/text";
import { visitorErrors } from "../shared/i18n/en-visitor-errors";
import { sentenceOf } from "../shared/refusal";

export type Stage =
  "idle" | "checking" | "calling" | "queued" | "connecting" | "connected" | "reconnecting" | "ended";
export type Invitation = Extract<ToVisitor, { type: "invited" }>;
export type Happening =
  "available" | "invited" | "ringing" | "queued" | "connecting" | "connected" | "reconnecting" | "ended";

const LONGEST_TITLE = 200;
const IN_CALL: Stage[] = ["connecting", "connected", "reconnecting"];
const STAGES: Record<string, Stage> = {
  queued: "queued",
  ringing: "calling",
  accepted: "connecting",
  connecting: "connecting",
  connected: "connected",
  reconnecting: "reconnecting",
};

/** Session of a visitor's page, without its user interface: from the check before a call to the message after it. */
export class VisitorSession extends CallSession<ToVisitor, FromVisitor> {
  stage: Stage = "idle";
  availability: Availability = {
    type: "availability",
    isEnabled: false,
    isRecorded: false,
    needsAgreement: false,
    isStaffed: true,
  };
  own: LocalMedia | undefined;
  path: ConnectivityResult | undefined;
  invitation: Invitation | undefined;
  /** Reason for the end of the last call, as in the protocol. */
  reason = "";
  place = 0;
  isRecorded = false;
  hasLeftMessage = false;
  name = "";
  email = "";
  private lastCallId = "";
  /** Whether calls can use a TURN server, which the connectivity check does not use. */
  private hasRelay = false;
  /** Call that the page asked for before the server had said whether calls can be placed. */
  private wanted: Media | undefined;
  private hasHeard = false;
  /** Resolved once the connection that was open when the check began is known to work, or was replaced. */
  private verified: Promise<void> | undefined;
  /** Whether the server has been asked for the call. */
  private hasAsked = false;
  /** Call from before a reload, while its devices are being opened. */
  private resuming: { callId: string; secret: string } | undefined;
  /** Aborted when the check before the call is over. */
  private check = new AbortController();
  /** Message that the server has not acknowledged. */
  private outgoing: OutgoingMessage | undefined;
  private answerPath: ((sdp: string) => void) | undefined;

  constructor(
    private readonly url: string,
    storageKey: string,
    private readonly tell: (happening: Happening, detail: object) => void,
    private readonly onRefused: (reason: string) => void = () => undefined,
    early?: EarlySocket,
  ) {
    super("visitor", () => sessionStorage, storageKey);
    this.outgoing = keptMessage(storageKey);
    this.start(url, early);
  }

  get hasCall(): boolean {
    return this.conversation !== undefined;
  }

  get isInCall(): boolean {
    return IN_CALL.includes(this.stage);
  }

  /** Whether an agent is on duty; a join link always has its agent. */
  get isStaffed(): boolean {
    return this.availability.isStaffed !== false || this.url.includes("join=");
  }

  get needsAgreement(): boolean {
    return this.availability.isRecorded && this.availability.needsAgreement;
  }

  /** Open the check before a call: of the devices and of the connection. */
  async prepare(media: Media, invitation?: Invitation): Promise<void> {
    if (this.stage !== "idle" && this.stage !== "ended") return;
    if (!this.hasHeard) {
      this.wanted = media;
      return;
    }
    if (!this.availability.isEnabled) return this.finish(t("switchedOff"), "disabled");
    if (!this.isStaffed && !invitation) return this.offerMessage();
    Object.assign(this, { media, invitation, notice: "", stage: "checking", hasLeftMessage: false });
    this.path = undefined;
    this.verified = this.signaling.verified();
    void this.findPath();
    await this.openMedia(media);
  }

  async openMedia(media: Media): Promise<void> {
    this.media = media;
    this.notice = "";
    this.releaseDevices();
    const signal = this.newAcquisition();
    this.changed();
    try {
      this.own = await LocalMedia.open(media, signal);
    } catch (error) {
      if (signal.aborted) return;
      this.notice = (error as Error).message;
    }
    this.changed();
  }

  /** Place the call after the check. */
  async call(agreed: boolean): Promise<void> {
    const { own, media, name, email, invitation } = this;
    if (!own || !this.isOnline || this.stage !== "checking") return;
    const conversation = this.beginConversation(own);
    this.check.abort();
    this.stage = "calling";
    this.hasAsked = false;
    this.isRecorded = this.availability.isRecorded;
    this.changed();
    const { sdp: offer } = await conversation.offer(1, media === "video");
    await this.verified;
    if (this.conversation !== conversation) return;
    this.hasAsked = true;
    const { invitation: id = "" } = invitation ?? {};
    this.signaling.send({ type: "call", media, offer, name, email, agreed, invitation: id });
    this.invitation = undefined;
  }

  hangUp(): void {
    if (this.resuming) this.abandon(this.resuming);
    const callId = this.conversation?.callId;
    if (!callId) return this.finish("", "");
    this.abandon({ callId, secret: this.conversation!.secret }, true);
    const isTalking = this.isInCall;
    this.finish(t(isTalking ? "ended.hungUp" : "ended.cancelled"), isTalking ? "hungUp" : "cancelled");
  }

  leaveMessage(text: string): void {
    const { lastCallId: callId, name, email } = this;
    this.outgoing = { callId, id: crypto.randomUUID(), text, name, email, at: Date.now() };
    keepMessage(this.storageKey, this.outgoing);
    this.hasLeftMessage = true;
    this.unsent = "";
    this.notice = t("messageSending");
    this.sendMessage();
    this.changed();
  }

  /** Offer to leave a message, because nobody is on duty. */
  private offerMessage(): void {
    this.finish(t("nobodyHere"), "unattended");
    this.lastCallId = "";
    this.hasLeftMessage = false;
    this.changed();
  }

  private sendMessage(): void {
    if (!this.outgoing) return;
    const { callId, id, text, name, email } = this.outgoing;
    this.signaling.send({ type: "leaveMessage", callId, id, text, name, email });
  }

  /** The server has stored the message (`isKept`) or refused it. */
  private messageSettled(notice: string, isKept: boolean): void {
    if (!isKept) this.unsent = this.outgoing!.text;
    this.outgoing = undefined;
    keepMessage(this.storageKey, undefined);
    this.hasLeftMessage = isKept;
    if (!this.conversation && this.stage !== "checking") Object.assign(this, { notice, stage: "ended" });
  }

  /** Return to the two buttons. This declines an invitation. */
  dismiss(): void {
    if (this.stage === "ended") this.unsent = "";
    this.leave();
    Object.assign(this, { stage: "idle", notice: "", reason: "", invitation: undefined });
    this.changed();
  }

  identify(name: string, email: string): void {
    Object.assign(this, { name, email });
    this.announcePage();
    this.changed();
  }

  protected receive(message: ToVisitor): void {
    switch (message.type) {
      case "availability":
        this.available(message);
        break;
      case "iceServers":
        this.iceServers = message.servers;
        this.hasRelay = message.hasRelay ?? false;
        break;
      case "invited":
        if (this.stage === "idle" || this.stage === "ended") this.invited(message);
        break;
      case "calling":
        this.placed(message);
        break;
      case "queued":
        this.queued(message.callId, message.place);
        break;
      case "connect":
        void this.connect(message.callId, message.link);
        break;
      case "messageKept":
        if (message.callId === this.outgoing?.callId) this.messageSettled(t("messageLeft"), true);
        break;
      case "probed":
        this.answerPath?.(message.sdp);
        break;
      case "ended":
        if (message.callId === this.conversation?.callId)
          this.finish(endedBecause(message.reason), message.reason, message.by);
        break;
      case "refused":
        this.refused(message);
        break;
      default:
        if (message.callId === this.conversation?.callId) this.hearOfCall(message);
    }
    this.changed();
  }

  private available(availability: Availability): void {
    this.availability = availability;
    this.hasHeard = true;
    this.tell("available", { isEnabled: availability.isEnabled, isStaffed: this.isStaffed });
    if (this.wanted) void this.prepare(this.wanted);
    this.wanted = undefined;
  }

  private hearOfCall(message: Parameters<Conversation["hear"]>[0]): void {
    this.conversation?.hear(message);
    if (message.type === "recording") this.isRecorded = message.state !== "off";
    if (message.type === "callState") this.reach(STAGES[message.state] ?? this.stage);
  }

  private placed({
    callId,
    isRecorded,
    secret,
    resumeSeconds,
  }: Extract<ToVisitor, { type: "calling" }>): void {
    // The visitor hung up before the server had given the call its id.
    if (!this.conversation) return this.abandon({ callId, secret }, true);
    Object.assign(this.conversation, { callId, secret });
    Object.assign(this, { isRecorded, resumeSeconds });
    this.tell("ringing", { callId });
  }

  private queued(callId: string, place: number): void {
    if (callId !== this.conversation?.callId) return;
    this.place = place;
    this.stage = "queued";
    this.tell("queued", { callId, place });
  }

  private invited(invitation: Invitation): void {
    Object.assign(this, { invitation, stage: "idle", notice: "" });
    this.tell("invited", { agentName: invitation.agentName, media: invitation.media });
  }

  /** Open another link. The older one stays until media flow over the new one. */
  private async connect(callId: string, link: number): Promise<void> {
    const conversation = this.conversation;
    if (callId !== conversation?.callId) return;
    const { sdp, screenMid } = await conversation.offer(
      link,
      this.media === "video" || !!conversation.own.camera,
    );
    this.signaling.send({ type: "offer", callId, link, sdp, screenMid });
  }

  private refused(refused: Refused): void {
    const { error, callId } = refused;
    const message = sentenceOf(visitorErrors, refused);
    const conversation = this.conversation;
    if (this.outgoing && callId === this.outgoing.callId) return this.messageSettled(message, false);
    if (!conversation) return;
    if (this.isRefusedLine(refused)) {
      conversation.own.trouble = message;
      return;
    }
    if (!conversation.callId) return this.finish(message, "failed");
    if (callId === conversation.callId && CALL_IS_GONE.includes(error)) {
      return this.finish(t(this.stage === "connected" ? "ended.hungUp" : "ended.failed"), "failed");
    }
    conversation.own.trouble = message;
  }

  private reach(stage: Stage): void {
    if (stage === this.stage) return;
    this.stage = stage;
    const { callId, otherName: agentName } = this.conversation!;
    if (stage === "connecting" || stage === "connected" || stage === "reconnecting")
      this.tell(stage, { callId, agentName });
  }

  protected greet(): void {
    this.announcePage();
    this.hangUpAbandoned();
    this.sendMessage();
    const { conversation } = this;
    if (!conversation) return;
    if (!conversation.callId) return this.hasAsked ? this.finish(t("ended.failed"), "failed") : undefined;
    this.resumeOnServer(conversation, conversation.hasMedia || !this.isInCall);
  }

  /** There is no such site, or the call of the join link is over: reconnecting would not help. */
  protected refusedByServer(reason: string): boolean {
    this.onRefused(reason);
    this.availability = { ...this.availability, isEnabled: false };
    if (this.stage !== "idle" && this.stage !== "ended") this.giveUp();
    return true;
  }

  protected giveUp(): void {
    this.finish(t("ended.failed"), "failed");
  }

  /** Tell the agents which page the visitor is on. */
  announcePage(): void {
    const page = shorten(document.title || location.pathname, LONGEST_TITLE);
    this.signaling.send({ type: "here", page, name: this.name, email: this.email });
  }

  /** Resume the call after a reload: open microphone and camera, then resume it on the server. */
  protected async resume(unfinished: Unfinished): Promise<void> {
    const { callId, secret, media, otherName } = unfinished;
    Object.assign(this, { stage: "reconnecting", media, resumeSeconds: unfinished.resumeSeconds });
    this.resuming = { callId, secret };
    this.releaseDevices();
    const signal = this.newAcquisition();
    this.changed();
    try {
      const own = await LocalMedia.open(unfinished.hasCamera ? "video" : "audio", signal);
      this.resuming = undefined;
      this.own = own;
      const conversation = this.beginConversation(own);
      Object.assign(conversation, { callId, secret, otherName });
      this.restore(conversation, unfinished);
      if (this.signaling.isOpen) this.resumeOnServer(conversation, false);
    } catch (error) {
      if (signal.aborted) return;
      this.abandon({ callId, secret });
      this.keepUnsent(unsentOf(unfinished));
      this.finish((error as Error).message, "failed");
    }
    this.changed();
  }

  /** The page was reloaded too late to resume its call: offer to send the unsent lines as a message. */
  protected loseCall(unfinished: Unfinished): void {
    const written = unsentOf(unfinished);
    if (!written) return;
    this.keepUnsent(written);
    this.finish(t("ended.failed"), "failed");
  }

  /** Keep unsent lines for a message. It belongs to no call, because an answered call takes no message. */
  private keepUnsent(written: string): void {
    Object.assign(this, { unsent: written, lastCallId: "", hasLeftMessage: false });
  }

  private async findPath(): Promise<void> {
    const ask = (offer: string) => {
      this.signaling.send({ type: "probe", offer });
      return new Promise<string>((resolve) => (this.answerPath = resolve));
    };
    this.path = "looking";
    this.check = new AbortController();
    const { signal } = this.check;
    const path = await probe(ask, this.iceServers, signal);
    if (signal.aborted) return;
    this.path = path === "blocked" && this.hasRelay ? "unknown" : path;
    this.answerPath = undefined;
    this.changed();
  }

  /** Stop the captured tracks and abort a request for devices. */
  private releaseDevices(): void {
    this.acquisition.abort();
    this.own?.close();
    this.own = undefined;
  }

  protected override leave(): void {
    super.leave();
    this.check.abort();
    this.resuming = undefined;
    this.releaseDevices();
  }

  private finish(notice: string, reason: string, by = "visitor"): void {
    const callId = this.conversation?.callId ?? "";
    const wasCalling = !!this.conversation;
    const written = this.conversation && unsentOf(this.conversation);
    this.leave();
    this.lastCallId = callId || this.lastCallId;
    if (written) this.keepUnsent(written);
    Object.assign(this, {
      notice,
      reason,
      stage: notice ? "ended" : "idle",
      place: 0,
      invitation: undefined,
    });
    this.changed();
    if (wasCalling) this.tell("ended", { callId, reason, by });
  }
}
