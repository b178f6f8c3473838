import type { Ping, Pong } from "../generated/signaling";
import { wellFormed } from "../shared/text";

const POLICY_VIOLATION = 1008;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 5_000;
/** In a call: a server whose process has died is back within seconds, and takes the call up again. */
const LONGEST_BUSY_PAUSE = 1_000;
/** Until the first message of the server: the page's site or network may not allow a connection at all. */
const LONGEST_FIRST_PAUSE = 60_000;
/** A check that is answered this late says that the connection is dead. */
const ANSWER_WITHIN = 3_000;
/** A connection that is not open this late is given up: its network may be gone (half-open TCP). */
const OPEN_WITHIN = 10_000;
/** Silence after which the other end is asked whether it is still there, in milliseconds. */
const QUIET_AFTER = { idle: 14_000, busy: 3_000 };
const TICK = 1_000;

/** A socket that was opened before its `Signaling` existed, and its events since then. */
export type EarlySocket = { socket: WebSocket; events: Event[] };

/**
 * A WebSocket that comes back: messages in, messages out, and whether it is open.
 *
 * A connection whose network is gone stays "open" for minutes (half-open TCP). So silence is followed by
 * a `ping`, and a `ping` without an answer by another socket: after 17 seconds at most, 6 while `isBusy`.
 * Waking up, coming back online and returning to the page ask at once.
 */
export class Signaling<In, Out> {
  private socket: WebSocket | undefined;
  private pause = FIRST_PAUSE;
  private isClosed = false;
  /** The last state that `onOpen` was called with. */
  private toldOpen: boolean | undefined;
  private longestPause = LONGEST_FIRST_PAUSE;
  private timer = 0;
  private ticking = 0;
  private heardAt = 0;
  /** When the other end was asked, until it says something. */
  private askedAt: number | undefined;
  private onCheck = () => this.check();

  constructor(
    private readonly url: string,
    private readonly onMessage: (message: In) => void,
    private readonly onOpen: (isOpen: boolean) => void,
    private readonly isBusy: () => boolean = () => false,
    /** The server does not, or no longer, let this page in, and says why; true stops the attempts. */
    private readonly onRefused: (reason: string) => boolean = () => false,
    /** Taken for the first connection. */
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

  /** Ask now whether the connection is alive, or connect now if there is none. */
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
    // Later, because the object that this one is made for is still being constructed.
    queueMicrotask(() => events.forEach((event) => replay(socket, event)));
  }

  private hear(data: string): void {
    this.heardAt = performance.now();
    this.askedAt = undefined;
    this.pause = FIRST_PAUSE;
    this.longestPause = LONGEST_PAUSE;
    const message = JSON.parse(data) as In | Ping | Pong;
    const { type } = message as Ping | Pong;
    if (type === "ping") this.socket!.send(JSON.stringify({ type: "pong" } satisfies Pong));
    else if (type !== "pong") this.onMessage(message as In);
  }

  /** Call `onOpen` at a change: an attempt that fails changes nothing, however many follow. */
  private tell(isOpen: boolean): void {
    if (isOpen === this.toldOpen) return;
    this.toldOpen = isOpen;
    this.onOpen(isOpen);
  }

  /** The socket is closed or counts as closed: nothing that it still says is heard. */
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

/** Hand an event to the socket's present handler, as if it happened now. */
const replay = (socket: WebSocket, event: Event): void => {
  const handlers = socket as unknown as Record<string, ((event: Event) => void) | null>;
  handlers[`on${event.type}`]?.(event);
};

const onlyWellFormed = (_: string, value: unknown) => (typeof value === "string" ? wellFormed(value) : value);

export const signalingUrl = (origin: string, path: string): string => origin.replace(/^http/, "ws") + path;
