import type { LocalMedia } from "./local-media";
import { Link, type Description } from "./peer-connection";
import type {
  Answer,
  CallStateChanged,
  Linked,
  Offer,
  ProvisionalAnswer,
  Quality,
  RecordingChanged,
  Relink,
  Said,
  Say,
  TextLine,
  Transcript,
} from "../generated/signaling";
import type { Details, Line, PendingLine } from "./lines";
import { Observable } from "../shared/observable";

const RELINK_AGAIN = 5000;
const MOST_LINES = 500;

export type Told =
  | Offer
  | Answer
  | ProvisionalAnswer
  | CallStateChanged
  | Linked
  | Said
  | Transcript
  | RecordingChanged
  | Quality;
/** The part of the page's socket that a conversation uses. */
export type Wire = {
  send: (message: Offer | Answer | Relink | Say) => void;
  isOpen: () => boolean;
  iceServers: () => RTCIceServer[];
};

/** One page's view of its call: the links to the relay, the chat, the recording state and the quality. */
export class Conversation extends Observable {
  callId = "";
  secret = "";
  otherName = "";
  /** Time on the page's monotonic clock when the call was first connected. */
  private since: number | undefined;
  state = "";
  lines: Line[] = [];
  pending: PendingLine[] = [];
  /** The text in the field for the next line. */
  draft = "";
  details: Details = { visitorEmail: "", transferredBy: "", note: "" };
  recording: RecordingChanged | undefined;
  quality: Quality | undefined;
  private readonly links = new Map<number, Link>();
  private shown = 0;
  private relinking = 0;

  constructor(
    readonly side: "visitor" | "agent",
    readonly own: LocalMedia,
    private readonly wire: Wire,
  ) {
    super();
  }

  /** Link whose pictures are shown; a newer link replaces it once its media flow. */
  get link(): Link | undefined {
    return this.links.get(this.shown);
  }

  /** Seconds since the call was first connected; undefined before that. */
  get seconds(): number | undefined {
    return this.since === undefined ? undefined : (performance.now() - this.since) / 1000;
  }

  /** Set for how many seconds the call had been connected when this page was loaded. */
  connectedFor(seconds: number | undefined): void {
    if (seconds !== undefined) this.since = performance.now() - seconds * 1000;
  }

  get hasMedia(): boolean {
    return this.link?.isFlowing ?? false;
  }

  /** Open the visitor's end of a link and return its first offer. */
  offer(number: number, hasVideo: boolean): Promise<Description> {
    return this.open(number).begin(hasVideo);
  }

  hear(message: Told): void {
    switch (message.type) {
      case "offer":
      case "answer":
      case "provisionalAnswer":
        this.describe(message);
        break;
      case "callState":
        this.progress(message);
        break;
      case "linked":
        this.show(message.link);
        break;
      case "said":
        this.acknowledge([message]);
        if (!this.knows(message)) this.lines = [...this.lines.slice(1 - MOST_LINES), message];
        break;
      case "transcript":
        this.acknowledge(message.lines);
        this.lines = this.merged(message.lines);
        break;
      case "recording":
        this.recording = message;
        break;
      case "quality":
        this.quality = message;
    }
    this.changed();
  }

  /** Send a line, and keep it until the server has acknowledged it. */
  say(text: string): void {
    const line = { id: crypto.randomUUID(), text };
    this.pending = [...this.pending, line];
    this.send(line);
    this.changed();
  }

  /** Send again the lines that the server has not acknowledged. */
  sendPending(): void {
    for (const line of this.pending) if (!line.isRefused) this.send(line);
  }

  /** Mark a line as refused; return false if this page has no such line. */
  refuse(id: string): boolean {
    const isOurs = this.pending.some((line) => line.id === id);
    this.pending = this.pending.map((line) => (line.id === id ? { ...line, isRefused: true } : line));
    this.changed();
    return isOurs;
  }

  private send({ id, text }: PendingLine): void {
    this.wire.send({ type: "say", callId: this.callId, text, id });
  }

  private acknowledge(lines: TextLine[]): void {
    const ids = new Set(lines.filter(({ by }) => by === this.side).map(({ id }) => id));
    this.pending = this.pending.filter(({ id }) => !ids.has(id));
  }

  private knows({ by, id }: TextLine): boolean {
    return id !== "" && this.lines.some((line) => line.by === by && line.id === id);
  }

  /** Return the known lines from before the transcript, followed by the transcript. */
  private merged(transcript: TextLine[]): Line[] {
    const first = transcript[0];
    if (!first) return this.lines;
    const older = this.lines.filter(({ at }) => Date.parse(at) < Date.parse(first.at));
    return [...older, ...transcript].slice(-MOST_LINES);
  }

  close(): void {
    clearInterval(this.relinking);
    this.links.forEach((link) => link.close());
    this.links.clear();
    this.own.close();
  }

  private get newest(): number {
    return Math.max(0, ...this.links.keys());
  }

  private describe(message: Offer | Answer | ProvisionalAnswer): void {
    const isNew = message.type === "offer" && this.side === "agent" && message.link > this.newest;
    const link = isNew ? this.open(message.link) : this.links.get(message.link);
    void link?.take(message.type, { screenMid: "", ...message });
  }

  private progress(message: CallStateChanged): void {
    this.state = message.state;
    this.otherName = (this.side === "visitor" ? message.agentName : message.visitorName) || this.otherName;
    if (message.state !== "connected") return;
    this.since ??= performance.now();
    if (this.links.has(message.link)) this.show(message.link);
  }

  private open(number: number): Link {
    const describe = (type: "offer" | "answer", { sdp, screenMid }: Description) =>
      this.wire.send({ type, callId: this.callId, link: number, sdp, screenMid });
    const link = new Link(number, this.own, this.side === "visitor", this.wire.iceServers(), {
      describe,
      lost: () => this.relink(number),
    });
    link.addEventListener("change", () => this.changed());
    this.links.get(number)?.close();
    this.links.set(number, link);
    this.shown ||= number;
    return link;
  }

  private show(number: number): void {
    if (!this.links.has(number)) return;
    this.shown = number;
    for (const [older, link] of this.links) {
      if (older >= number) continue;
      link.close();
      this.links.delete(older);
    }
  }

  /**
   * Request another link every few seconds until there is one.
   *
   * Nothing is sent while the socket is closed: once it is open again, `resume` makes the same request.
   */
  private relink(number: number): void {
    const ask = () => {
      if (number !== this.newest || this.links.get(number)?.isFlowing) return clearInterval(this.relinking);
      if (this.wire.isOpen()) this.wire.send({ type: "relink", callId: this.callId, link: number });
    };
    clearInterval(this.relinking);
    this.relinking = window.setInterval(ask, RELINK_AGAIN);
    ask();
  }
}
