import type { Ping, Pong } from "../generated/signaling";
import { wellFormed } from "../shared/text";

const POLICY_VIOLATION = 1008;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;
/** In a call: a server whose process has died is back within seconds, and takes the call up again. */
const LONGEST_BUSY_PAUSE = 1_000;
/** Until the first message of the server: the page's site or network may not allow a connection at all. */
const LONGEST_FIRST_PAUSE = 60_000;
/** A connection is dead if a `ping` is not answered within this time. */
const ANSWER_WITHIN = 3_000;
/** An attempt to connect is given up after this time: the network may be gone (half-open TCP). */
const OPEN_WITHIN = 10_000;
/** Milliseconds without a message after which a `ping` is sent. */
const QUIET_AFTER = { idle: 14_000, busy: 3_000 };
const TICK = 1_000;

/** A socket that was opened before its `Signaling` existed, and its events since then. */
export type EarlySocket = { socket: WebSocket; events: Event[] };

/**
 * WebSocket that reconnects by itself.
 *
 * A connection whose network is gone stays "open" for minutes (half-open TCP). Therefore silence is followed by
 * a `ping`, and a `ping` without an answer by a new socket: after at most 17 seconds, or 6 while `isBusy`.
 * A computer that wakes up or comes back online, and a page that is shown again, send the `ping` at once.
 */
export class Signaling<In, Out> {
  private socket: WebSocket | undefined;
  private pause = FIRST_PAUSE;
  private isClosed = false;
  /** State with which `onOpen` was last called. */
  private toldOpen: boolean | undefined;
  private longestPause = LONGEST_FIRST_PAUSE;
  private timer = 0;
  private ticking = 0;
  private heardAt = 0;
  /** Time of the `ping` that has not been answered yet. */
  private askedAt: number | undefined;
  private onCheck = () => this.check();
  private verifying: (() => void)[] = [];

  constructor(
    private readonly url: string,
    private readonly onMessage: (message: In) => void,
    private readonly onOpen: (isOpen: boolean) => void,
    private readonly isBusy: () => boolean = () => false,
    /** Called with the reason when the server refuses the page; return true to stop reconnecting. */
    private readonly onRefused: (reason: string) => boolean = () => false,
    /** Socket to use for the first connection. */
    private early?: EarlySocket,
  ) {
    this.connect();
    for (const event of ["online", "pageshow"]) addEventListener(event, this.onCheck);
    document.addEventListener("visibilitychange", this.onCheck);
  }

  get isOpen(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  send(message: Out): void {
    if (this.isOpen) this.socket!.send(JSON.stringify(message, onlyWellFormed));
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    clearInterval(this.ticking);
    for (const event of ["online", "pageshow"]) removeEventListener(event, this.onCheck);
    document.removeEventListener("visibilitychange", this.onCheck);
    this.socket?.close();
  }

  /** Return once the server has sent something, over this connection or the one that replaces it. */
  verified(): Promise<void> {
    if (this.isOpen) this.ask();
    return new Promise((resolve) => this.verifying.push(resolve));
  }

  /** Send a `ping`, or connect at once if there is no connection. */
  private check(): void {
    if (this.isClosed || document.visibilityState === "hidden") return;
    if (this.isOpen) this.ask();
    else if (!this.socket || this.socket.readyState === WebSocket.CLOSED) {
      clearTimeout(this.timer);
      this.connect();
    }
  }

  private ask(): void {
    if (this.askedAt !== undefined) return;
    this.askedAt = performance.now();
    this.socket!.send(JSON.stringify({ type: "ping" } satisfies Ping));
  }

  private readonly tick = (): void => {
    const now = performance.now();
    if (this.askedAt !== undefined && now - this.askedAt >= ANSWER_WITHIN) return this.lost();
    const quietAfter = this.isBusy() ? QUIET_AFTER.busy : QUIET_AFTER.idle;
    if (this.isOpen && now - this.heardAt >= quietAfter) this.ask();
  };

  private connect(): void {
    const { socket, events } = this.early ?? { socket: new WebSocket(this.url), events: [] };
    this.early = undefined;
    this.socket = socket;
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      if (!this.isOpen) this.lost();
    }, OPEN_WITHIN);
    socket.onopen = () => {
      clearTimeout(this.timer);
      this.heardAt = performance.now();
      this.askedAt = undefined;
      clearInterval(this.ticking);
      this.ticking = window.setInterval(this.tick, TICK);
      this.tell(true);
    };
    socket.onmessage = ({ data }: MessageEvent<string>) => this.hear(data);
    socket.onclose = ({ code, reason }) => {
      if (code === POLICY_VIOLATION && this.onRefused(reason)) this.close();
      this.lost();
    };
    // In a microtask, because the owner of this object is still being constructed.
    queueMicrotask(() => events.forEach((event) => replay(socket, event)));
  }

  private hear(data: string): void {
    this.heardAt = performance.now();
    this.askedAt = undefined;
    this.verifying.splice(0).forEach((resolve) => resolve());
    this.pause = FIRST_PAUSE;
    this.longestPause = LONGEST_PAUSE;
    const message = JSON.parse(data) as In | Ping | Pong;
    const { type } = message as Ping | Pong;
    if (type === "ping") this.socket!.send(JSON.stringify({ type: "pong" } satisfies Pong));
    else if (type !== "pong") this.onMessage(message as In);
  }

  /** Call `onOpen` if the state has changed, so not after each failed attempt to connect. */
  private tell(isOpen: boolean): void {
    if (isOpen === this.toldOpen) return;
    this.toldOpen = isOpen;
    this.onOpen(isOpen);
  }

  /** Drop a socket that is closed or counts as closed, and connect again after a pause. */
  private lost(): void {
    clearTimeout(this.timer);
    clearInterval(this.ticking);
    this.askedAt = undefined;
    const { socket } = this;
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.socket = undefined;
    this.tell(false);
    if (this.isClosed) return;
    this.timer = window.setTimeout(() => this.connect(), this.pause * (0.5 + Math.random()));
    this.pause = Math.min(this.isBusy() ? LONGEST_BUSY_PAUSE : this.longestPause, this.pause * 2);
  }
}

/** Pass an event to the socket's present handler, as if it happened now. */
const replay = (socket: WebSocket, event: Event): void => {
  const handlers = socket as unknown as Record<string, ((event: Event) => void) | null>;
  handlers[`on${event.type}`]?.(event);
};

const onlyWellFormed = (_: string, value: unknown) => (typeof value === "string" ? wellFormed(value) : value);

export const signalingUrl = (origin: string, path: string): string => origin.replace(/^http/, "ws") + path;
