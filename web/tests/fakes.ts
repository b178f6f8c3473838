// Browser parts that jsdom lacks, under the control of a test: sockets, devices, connections.

/** A WebSocket whose other end is the test. */
export class FakeSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  static all: FakeSocket[] = [];
  /** Whether the server answers a `ping`. */
  static answersPings = true;
  readonly sent: Record<string, unknown>[] = [];
  readyState = FakeSocket.CONNECTING;
  onopen: ((event: { type: string }) => void) | null = null;
  onmessage: ((event: { type: string; data: string }) => void) | null = null;
  onclose: ((event: { type: string; code: number; reason: string }) => void) | null = null;

  constructor(readonly url: string) {
    super();
    FakeSocket.all.push(this);
  }

  /** The socket that was opened last. */
  static get latest(): FakeSocket {
    const latest = FakeSocket.all.at(-1);
    if (!latest) throw new Error("no socket was opened");
    return latest;
  }

  send(text: string): void {
    const message = JSON.parse(text) as Record<string, unknown>;
    this.sent.push(message);
    if (message.type === "ping" && FakeSocket.answersPings)
      queueMicrotask(() => this.receive({ type: "pong" }));
  }

  close(): void {
    if (this.readyState < FakeSocket.CLOSING) this.readyState = FakeSocket.CLOSING;
  }

  open(): void {
    this.readyState = FakeSocket.OPEN;
    this.onopen?.({ type: "open" });
  }

  /** The server, or the network, closed the socket. */
  drop(code = 1006, reason = ""): void {
    this.readyState = FakeSocket.CLOSED;
    this.onclose?.({ type: "close", code, reason });
  }

  receive(message: object): void {
    this.onmessage?.({ type: "message", data: JSON.stringify(message) });
  }

  /** The messages of one type that the page sent. */
  ofType(type: string): Record<string, unknown>[] {
    return this.sent.filter((message) => message.type === type);
  }
}

/** A track that counts as live until it is stopped or its device is unplugged. */
export class FakeTrack extends EventTarget {
  static all: FakeTrack[] = [];
  readyState: "live" | "ended" = "live";
  enabled = true;
  muted = false;
  contentHint = "";
  onended: (() => void) | null = null;
  onmute: (() => void) | null = null;
  onunmute: (() => void) | null = null;
  readonly id = `track-${FakeTrack.all.length}`;

  constructor(
    readonly kind: "audio" | "video",
    private readonly deviceId = "",
  ) {
    super();
    FakeTrack.all.push(this);
  }

  static get live(): FakeTrack[] {
    return FakeTrack.all.filter((track) => track.readyState === "live");
  }

  getSettings(): MediaTrackSettings {
    return { deviceId: this.deviceId };
  }

  stop(): void {
    this.readyState = "ended";
  }

  /** The device was unplugged. */
  lose(): void {
    this.readyState = "ended";
    this.onended?.();
    this.dispatchEvent(new Event("ended"));
  }

  setMuted(isMuted: boolean): void {
    this.muted = isMuted;
    (isMuted ? this.onmute : this.onunmute)?.();
    this.dispatchEvent(new Event(isMuted ? "mute" : "unmute"));
  }
}

export class FakeStream {
  private tracks: FakeTrack[];

  constructor(tracks: FakeTrack[] = []) {
    this.tracks = tracks;
  }

  getTracks(): FakeTrack[] {
    return [...this.tracks];
  }

  getAudioTracks(): FakeTrack[] {
    return this.tracks.filter(({ kind }) => kind === "audio");
  }

  getVideoTracks(): FakeTrack[] {
    return this.tracks.filter(({ kind }) => kind === "video");
  }

  addTrack(track: FakeTrack): void {
    if (!this.tracks.includes(track)) this.tracks.push(track);
  }

  removeTrack(track: FakeTrack): void {
    this.tracks = this.tracks.filter((one) => one !== track);
  }
}

type Question = {
  constraints: MediaStreamConstraints;
  allow: () => Promise<void>;
  fail: (name: string) => Promise<void>;
};

/** `navigator.mediaDevices`: answers at once, or leaves every prompt open until the test answers it. */
export class FakeDevices extends EventTarget {
  isAsking = false;
  microphones = ["mic-1"];
  cameras = ["cam-1"];
  readonly questions: Question[] = [];

  getUserMedia(constraints: MediaStreamConstraints): Promise<FakeStream> {
    return this.ask(constraints, () => this.captured(constraints));
  }

  getDisplayMedia(constraints: MediaStreamConstraints): Promise<FakeStream> {
    return this.ask(constraints, () => new FakeStream([new FakeTrack("video", "screen")]));
  }

  enumerateDevices(): Promise<Partial<MediaDeviceInfo>[]> {
    const inputs = (kind: MediaDeviceKind, ids: string[]) =>
      ids.map((deviceId) => ({ kind, deviceId, label: deviceId }));
    return Promise.resolve([
      ...inputs("audioinput", this.microphones),
      ...inputs("videoinput", this.cameras),
    ]);
  }

  /** Plug in or unplug: what remains of each kind. */
  plug(microphones: string[], cameras = this.cameras): void {
    Object.assign(this, { microphones, cameras });
    this.dispatchEvent(new Event("devicechange"));
  }

  private captured({ audio, video }: MediaStreamConstraints): FakeStream {
    const isMissing = (audio && !this.microphones.length) || (video && !this.cameras.length);
    if (isMissing) throw new DOMException("", "NotFoundError");
    const tracks: FakeTrack[] = [];
    if (audio) tracks.push(new FakeTrack("audio", this.microphones[0]));
    if (video) tracks.push(new FakeTrack("video", this.cameras[0]));
    return new FakeStream(tracks);
  }

  private ask(constraints: MediaStreamConstraints, capture: () => FakeStream): Promise<FakeStream> {
    if (!this.isAsking) return Promise.resolve().then(capture);
    return new Promise((resolve, reject) => {
      const answer = async (decide: () => void) => {
        decide();
        await settled();
      };
      this.questions.push({
        constraints,
        allow: () => answer(() => resolve(capture())),
        fail: (name) => answer(() => reject(new DOMException("", name))),
      });
    });
  }
}

class FakeTransceiver {
  currentDirection: RTCRtpTransceiverDirection | null = null;
  direction: RTCRtpTransceiverDirection = "sendrecv";
  readonly receiver: { track: FakeTrack };
  readonly sender: {
    track: FakeTrack | null;
    replaceTrack: (track: FakeTrack | null) => Promise<void>;
    setStreams: () => void;
  };

  constructor(
    kind: "audio" | "video",
    readonly mid: string,
  ) {
    const track = new FakeTrack(kind, "remote");
    FakeTrack.all.splice(FakeTrack.all.indexOf(track), 1); // not captured here
    this.receiver = { track };
    this.sender = {
      track: null,
      replaceTrack: (replacement) => {
        this.sender.track = replacement;
        return Promise.resolve();
      },
      setStreams: () => undefined,
    };
  }

  stop(): void {
    this.direction = "stopped";
  }
}

/** An `RTCPeerConnection` that agrees to everything and connects when the test says so. */
export class FakePeerConnection {
  static all: FakePeerConnection[] = [];
  signalingState: RTCSignalingState = "stable";
  iceConnectionState: RTCIceConnectionState = "new";
  currentRemoteDescription: { sdp: string } | null = null;
  localDescription: { sdp: string } | null = null;
  onnegotiationneeded: (() => void) | null = null;
  oniceconnectionstatechange: (() => void) | null = null;
  private readonly transceivers: FakeTransceiver[] = [];

  constructor() {
    FakePeerConnection.all.push(this);
  }

  addTransceiver(what: "audio" | "video" | FakeTrack): FakeTransceiver {
    const kind = typeof what === "string" ? what : what.kind;
    const transceiver = new FakeTransceiver(kind, String(this.transceivers.length));
    this.transceivers.push(transceiver);
    return transceiver;
  }

  getTransceivers(): FakeTransceiver[] {
    return this.transceivers;
  }

  setLocalDescription(): Promise<void> {
    const isAnswer = this.signalingState === "have-remote-offer";
    this.localDescription = { sdp: isAnswer ? "our answer" : "our offer" };
    this.signalingState = isAnswer ? "stable" : "have-local-offer";
    return Promise.resolve();
  }

  setRemoteDescription({ type, sdp }: { type: string; sdp: string }): Promise<void> {
    if (type !== "pranswer") this.currentRemoteDescription = { sdp };
    this.signalingState =
      type === "offer" ? "have-remote-offer" : type === "answer" ? "stable" : "have-remote-pranswer";
    return Promise.resolve();
  }

  getStats(): Promise<Map<string, unknown>> {
    return Promise.resolve(new Map<string, unknown>());
  }

  createDataChannel(): object {
    return {};
  }

  setIceState(state: RTCIceConnectionState): void {
    this.iceConnectionState = state;
    this.oniceconnectionstatechange?.();
  }

  close(): void {
    this.signalingState = "closed";
  }
}

/** An `AudioContext` that measures the loudness that the test sets. */
export class FakeAudio {
  static all: FakeAudio[] = [];
  static sample = 0;
  static startsAs: AudioContextState = "running";
  state = FakeAudio.startsAs;

  constructor() {
    FakeAudio.all.push(this);
  }

  createAnalyser() {
    return { fftSize: 0, getFloatTimeDomainData: (into: Float32Array) => into.fill(FakeAudio.sample) };
  }

  createMediaStreamSource() {
    return { connect: () => undefined };
  }

  resume(): Promise<void> {
    this.state = "running";
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.state = "closed";
    return Promise.resolve();
  }
}

/** Let every promise that can be settled by now run its course, with fake timers or without. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};
