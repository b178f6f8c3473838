import { Observable } from "../shared/observable";
import type { LocalMedia } from "./local-media";

const LOST_AFTER = 4000;
const OFFER_AGAIN = 5000;

const AWAITING_ANSWER: RTCSignalingState[] = ["have-local-offer", "have-remote-pranswer"];

export type Description = { sdp: string; screenMid: string };
/** `isRepeated`: it answers the first offer, and may have been received before. */
export type Received = Description & { isRepeated?: boolean | undefined };
export type Kind = "offer" | "answer" | "provisionalAnswer";
export type LinkEvents = {
  /** Send an offer or an answer to the other page. */
  describe: (kind: "offer" | "answer", description: Description) => void;
  /** Called when ICE has failed, or has been disconnected for four seconds. */
  lost: () => void;
};

/**
 * This browser's end of one link: it sends the media of `own` and receives those of the other page.
 *
 * Offers follow the perfect negotiation pattern (W3C WebRTC §10.7), with the visitor's page as the polite
 * peer. Microphone and camera have one m-section each, used in both directions. The screen of each page
 * has an m-section of its own, which the other page recognises by its mid.
 */
export class Link extends Observable {
  readonly connection: RTCPeerConnection;
  /** The other side's microphone and camera. */
  readonly remote = new MediaStream();
  /** The other side's shared screen; without tracks while nothing is shared. */
  readonly remoteScreen = new MediaStream();
  private camera: RTCRtpTransceiver | undefined;
  private screen: RTCRtpTransceiver | undefined;
  private readonly theirScreens = new Set<string>();
  private theirScreen = "";
  private isOffering = false;
  private hasBegun = false;
  private steps: Promise<void> = Promise.resolve();
  private patience = 0;
  private offering = 0;
  private readonly onOwnChange = () => this.send();

  constructor(
    readonly number: number,
    private readonly own: LocalMedia,
    private readonly isPolite: boolean,
    iceServers: RTCIceServer[],
    private readonly events: LinkEvents,
  ) {
    super();
    this.connection = new RTCPeerConnection({
      bundlePolicy: "max-bundle",
      rtcpMuxPolicy: "require",
      iceServers,
    });
    this.connection.onnegotiationneeded = () => void this.renegotiate();
    this.connection.oniceconnectionstatechange = () => this.watch();
    own.addEventListener("change", this.onOwnChange);
  }

  /** Return the visitor's first offer. It needs no ICE candidates: the relay is ICE-lite and learns them from checks. */
  async begin(hasVideo: boolean): Promise<Description> {
    this.connection.addTransceiver("audio", { streams: [this.own.stream] });
    if (hasVideo) this.camera = this.connection.addTransceiver("video", { streams: [this.own.stream] });
    const { screen } = this.own;
    // A screen that is shared over an older link is shared over this one as well.
    if (screen) this.screen = this.connection.addTransceiver(screen, { direction: "sendonly" });
    this.place();
    await this.connection.setLocalDescription();
    this.hasBegun = true;
    return this.description();
  }

  /** Apply an offer or an answer of the other page, after those that came before it. */
  take(kind: Kind, description: Received): Promise<void> {
    const apply = () => {
      if (kind === "offer") return this.takeOffer(description);
      return kind === "answer" ? this.takeAnswer(description) : this.connect(description);
    };
    // also after a description that the browser has rejected
    this.steps = this.steps.then(apply, apply);
    return this.steps;
  }

  get isFlowing(): boolean {
    const { currentRemoteDescription, iceConnectionState } = this.connection;
    return !!currentRemoteDescription && ["connected", "completed"].includes(iceConnectionState);
  }

  close(): void {
    clearTimeout(this.patience);
    clearInterval(this.offering);
    this.own.removeEventListener("change", this.onOwnChange);
    this.connection.onnegotiationneeded = null;
    this.connection.oniceconnectionstatechange = null;
    this.connection.close();
  }

  private async takeOffer({ sdp, screenMid }: Description): Promise<void> {
    const collides = this.isOffering || this.connection.signalingState !== "stable";
    if (collides && !this.isPolite) return;
    await this.connection.setRemoteDescription({ type: "offer", sdp });
    this.note(screenMid);
    this.adopt();
    this.place();
    await this.connection.setLocalDescription();
    this.hasBegun = true;
    this.events.describe("answer", this.description());
    this.gather();
  }

  /** Connect to the relay before the other page has answered. Firefox rejects this and connects with the answer. */
  private async connect({ sdp }: Description): Promise<void> {
    if (this.connection.signalingState !== "have-local-offer") return;
    await this.connection.setRemoteDescription({ type: "pranswer", sdp }).catch(() => undefined);
  }

  private async takeAnswer({ sdp, screenMid, isRepeated }: Received): Promise<void> {
    // It may answer an offer that was rolled back in favour of the other page's.
    if (!AWAITING_ANSWER.includes(this.connection.signalingState)) return;
    if (isRepeated && this.connection.currentRemoteDescription) return;
    await this.connection.setRemoteDescription({ type: "answer", sdp });
    this.note(screenMid);
    this.gather();
  }

  private async renegotiate(): Promise<void> {
    if (!this.hasBegun) return;
    this.isOffering = true;
    try {
      await this.connection.setLocalDescription();
      this.tellOffer();
    } finally {
      this.isOffering = false;
    }
  }

  /** Send the offer, and again every few seconds until it is answered: either page's socket may be closed. */
  private tellOffer(): void {
    const tell = () => {
      if (this.connection.signalingState !== "have-local-offer") return clearInterval(this.offering);
      this.events.describe("offer", this.description());
    };
    clearInterval(this.offering);
    this.offering = window.setInterval(tell, OFFER_AGAIN);
    tell();
  }

  /** Send the present tracks, over new m-sections if there are none for them. */
  private send(): void {
    if (!this.hasBegun) return;
    const { camera, screen, stream } = this.own;
    if (camera && !this.camera) this.camera = this.connection.addTransceiver("video", { streams: [stream] });
    if (screen && !this.screen)
      this.screen = this.connection.addTransceiver(screen, { direction: "sendonly" });
    this.place();
  }

  /** Attach our tracks to their transceivers. A changed direction causes a renegotiation. */
  private place(): void {
    const { microphone, camera, screen } = this.own;
    const audio = this.transceivers("audio")[0];
    if (audio) fill(audio, microphone, "sendrecv", "recvonly", this.own.stream);
    if (this.camera) fill(this.camera, camera, "sendrecv", "recvonly", this.own.stream);
    if (this.screen) fill(this.screen, screen, "sendonly", "inactive");
  }

  private note(screenMid: string): void {
    this.theirScreen = screenMid;
    if (screenMid) this.theirScreens.add(screenMid);
  }

  /** After an offer: use its m-section for our camera, instead of one that we were about to offer. */
  private adopt(): void {
    const theirs = this.transceivers("video").find(
      (one) => one.mid !== null && one !== this.screen && !this.theirScreens.has(one.mid),
    );
    if (theirs && theirs !== this.camera) {
      if (this.camera?.mid === null) this.camera.stop();
      this.camera = theirs;
    }
    if (this.hasBegun) return;
    const { screen } = this.own;
    if (screen) this.screen = this.connection.addTransceiver(screen, { direction: "sendonly" });
    if (this.own.camera && !this.camera)
      this.camera = this.connection.addTransceiver("video", { streams: [this.own.stream] });
  }

  private description(): Description {
    const isShared = this.own.screen && this.screen?.mid;
    return { sdp: this.connection.localDescription!.sdp, screenMid: isShared ? this.screen!.mid! : "" };
  }

  /** Sort the received tracks into the stream of the camera and that of the screen. */
  private gather(): void {
    const arriving = this.transceivers("video").filter(isReceiving);
    const screen = arriving.filter(({ mid }) => mid === this.theirScreen);
    const camera = arriving.filter(({ mid }) => !this.theirScreens.has(mid ?? ""));
    keepOnly(this.remoteScreen, screen.slice(0, 1));
    keepOnly(this.remote, [
      ...this.transceivers("audio").filter(isReceiving).slice(0, 1),
      ...camera.slice(0, 1),
    ]);
    this.changed();
  }

  private transceivers(kind: "audio" | "video"): RTCRtpTransceiver[] {
    const all = this.connection.getTransceivers();
    return all.filter((one) => one.receiver.track.kind === kind && one.direction !== "stopped");
  }

  private watch(): void {
    clearTimeout(this.patience);
    const state = this.connection.iceConnectionState;
    if (state === "failed") this.events.lost();
    if (state === "disconnected") this.patience = window.setTimeout(() => this.events.lost(), LOST_AFTER);
    this.changed();
  }
}

const fill = (
  transceiver: RTCRtpTransceiver,
  track: MediaStreamTrack | undefined,
  active: RTCRtpTransceiverDirection,
  passive: RTCRtpTransceiverDirection,
  stream?: MediaStream,
): void => {
  const { sender } = transceiver;
  if (sender.track !== (track ?? null)) void sender.replaceTrack(track ?? null);
  // The receiver synchronises the tracks of one stream (RFC 8830).
  if (stream && track) sender.setStreams?.(stream);
  const direction = track ? active : passive;
  if (transceiver.direction !== direction) transceiver.direction = direction;
};

const isReceiving = ({ currentDirection }: RTCRtpTransceiver): boolean =>
  currentDirection === "sendrecv" || currentDirection === "recvonly";

const keepOnly = (stream: MediaStream, transceivers: RTCRtpTransceiver[]): void => {
  const tracks = transceivers.map(({ receiver }) => receiver.track);
  stream
    .getTracks()
    .filter((track) => !tracks.includes(track))
    .forEach((track) => stream.removeTrack(track));
  tracks.forEach((track) => stream.addTrack(track));
};
