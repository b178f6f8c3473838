import type { FromAgent, FromVisitor, Media, Refused } from "../generated/signaling";
import { Observable } from "../shared/observable";
import { Conversation } from "./conversation";
import type { LocalMedia } from "./local-media";
import { CALL_IS_GONE } from "./refusals";
import { keep, loadUnfinished, type Unfinished } from "./resume-storage";
import { Signaling, type EarlySocket } from "./signaling";

/** Messages that both parties' pages send. */
type FromEither = Extract<FromVisitor, FromAgent>;

/** Id of a call, and the secret with which a visitor's page resumes it. */
type CallKey = { callId: string; secret?: string };

/** The part of a message that tells whether a call is over. */
type Settling = { type: string; callId?: string | null; error?: string };

/**
 * One page's session with the server and its call: the part that visitors and agents have in common.
 *
 * It owns the socket, the conversation and the request for devices, resumes the call after a lost
 * socket and after a reload, and gives it up when the server stays away for too long.
 */
export abstract class CallSession<In, Out> extends Observable {
  media: Media = "video";
  conversation: Conversation | undefined;
  notice = "";
  /** Text that was written on this page and did not reach the server before the call ended. */
  unsent = "";
  isOnline = false;
  /** Seconds for which the server keeps the call of a page that is not connected; it tells them with the call. */
  protected resumeSeconds = 30;
  protected iceServers: RTCIceServer[] = [];
  protected signaling!: Signaling<In, Out | FromEither>;
  /** Aborted when the devices are no longer wanted, even if the browser still asks for permission. */
  protected acquisition = new AbortController();
  private resumeTimer = 0;
  /** Calls that were hung up, until the server says that they are over: a socket may have died unnoticed. */
  private readonly abandoned = new Map<string, CallKey>();
  private readonly onPageHide = () => this.save();

  constructor(
    private readonly side: "visitor" | "agent",
    private readonly storage: () => Storage,
    protected readonly storageKey: string,
  ) {
    super();
  }

  abstract get hasCall(): boolean;
  protected abstract receive(message: In): void;
  /** Called when the socket has opened: introduce this page and resume its call. */
  protected abstract greet(): void;
  /** Called when the socket has been closed for longer than the server keeps the call. */
  protected abstract giveUp(): void;
  /** Called when the server refuses the connection; return true to stop reconnecting. */
  protected abstract refusedByServer(reason: string): boolean;
  /** Resume the call that the page was in before it was reloaded. */
  protected abstract resume(unfinished: Unfinished): Promise<void>;
  /** Called when the page was reloaded too late to resume its call. */
  protected abstract loseCall(unfinished: Unfinished): void;
  /** Called when the socket has closed. */
  protected disconnected(): void {}

  /** Open the socket, and resume the call that the page was in before it was reloaded. */
  protected start(url: string, early?: EarlySocket): void {
    this.signaling = new Signaling<In, Out | FromEither>(
      url,
      (message) => {
        if (!this.isSettled(message as Settling)) this.receive(message);
      },
      (isOpen) => this.onOpen(isOpen),
      () => this.hasCall,
      (reason) => this.refusedByServer(reason),
      early,
    );
    addEventListener("pagehide", this.onPageHide);
    const unfinished = loadUnfinished(this.storage, this.storageKey);
    if (unfinished?.isOver) this.loseCall(unfinished);
    else if (unfinished) void this.resume(unfinished);
  }

  close(): void {
    removeEventListener("pagehide", this.onPageHide);
    this.leave();
    this.signaling.close();
  }

  protected beginConversation(own: LocalMedia): Conversation {
    const conversation = new Conversation(this.side, own, {
      send: (message) => this.signaling.send(message),
      isOpen: () => this.signaling.isOpen,
      iceServers: () => this.iceServers,
    });
    conversation.addEventListener("change", () => this.changed());
    this.conversation = conversation;
    return conversation;
  }

  /** Restore what the page knew of the call before it was reloaded. */
  protected restore(conversation: Conversation, unfinished: Unfinished): void {
    const { lines, pending, draft, details, seconds, isMuted } = unfinished;
    Object.assign(conversation, { lines, pending, draft, details });
    conversation.connectedFor(seconds);
    conversation.own.setMuted(isMuted);
  }

  /** Tell the server that this page resumes the call; `hasMedia` says that its media still flow. */
  protected resumeOnServer(call: CallKey, hasMedia: boolean): void {
    const { callId, secret } = call;
    this.signaling.send({ type: "resume", callId, hasMedia, ...(secret ? { secret } : {}) });
    this.conversation?.sendPending();
  }

  /** Hang up a call: now and after each reconnect, until the server says that it is over. */
  protected abandon(call: CallKey, isResumed = false): void {
    this.abandoned.set(call.callId, call);
    if (!this.signaling.isOpen) return;
    if (isResumed) this.signaling.send({ type: "hangUp", callId: call.callId });
    else this.resumeAndHangUp(call);
    void this.signaling.verified();
  }

  protected hangUpAbandoned(): void {
    this.abandoned.forEach((call) => this.resumeAndHangUp(call));
  }

  private resumeAndHangUp(call: CallKey): void {
    this.signaling.send({ type: "resume", ...call, hasMedia: true });
    this.signaling.send({ type: "hangUp", callId: call.callId });
  }

  /** Whether the message says only that a call that was hung up here is over already. */
  private isSettled({ type, callId, error }: Settling): boolean {
    const isRefused = type === "refused" && !!error && CALL_IS_GONE.includes(error);
    return (isRefused || type === "ended") && !!callId && this.abandoned.delete(callId) && isRefused;
  }

  /** Whether the server has refused one line of the chat and not the call; the line is then shown as not sent. */
  protected isRefusedLine({ id, error }: Refused): boolean {
    return !!id && !!this.conversation?.refuse(id) && !CALL_IS_GONE.includes(error);
  }

  /** Abort the request for devices in progress and return the signal of a new one. */
  protected newAcquisition(): AbortSignal {
    this.acquisition.abort();
    this.acquisition = new AbortController();
    return this.acquisition.signal;
  }

  /** Leave the call: stop every captured track and abort a request for devices. */
  protected leave(): void {
    clearTimeout(this.resumeTimer);
    this.acquisition.abort();
    this.conversation?.close();
    this.conversation = undefined;
  }

  private onOpen(isOpen: boolean): void {
    this.isOnline = isOpen;
    clearTimeout(this.resumeTimer);
    if (isOpen) this.greet();
    else {
      this.disconnected();
      if (this.hasCall) this.resumeTimer = window.setTimeout(() => this.giveUp(), this.resumeSeconds * 1000);
    }
    this.changed();
  }

  private save(): void {
    const { conversation, media, resumeSeconds } = this;
    if (!conversation?.callId) return;
    const { callId, secret, seconds, otherName, lines, pending, draft, details, own } = conversation;
    keep(this.storage, this.storageKey, {
      callId,
      secret,
      media,
      seconds,
      otherName,
      lines,
      pending,
      draft,
      details,
      resumeSeconds,
      isMuted: own.isMuted,
      hasCamera: !!own.camera,
      leftAt: Date.now(),
    });
  }
}
