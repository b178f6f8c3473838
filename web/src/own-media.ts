import { t } from "./catalogue";
import { preferDevices, preferredDevices, type Devices } from "./memory";
import type { Media } from "./protocol";
import { Subject } from "./subject";

export type DeviceKind = keyof Devices;

const PICTURE = { width: { ideal: 640 }, height: { ideal: 360 } };
const INPUTS: Record<DeviceKind, MediaDeviceKind> = {
  microphone: "audioinput",
  camera: "videoinput",
  speaker: "audiooutput",
};

/** What this browser captures for a call: microphone, camera and screen. Tells of every change. */
export class OwnMedia extends Subject {
  /** Microphone and camera; what the screen shows travels by itself. */
  readonly stream = new MediaStream();
  screen: MediaStreamTrack | undefined;
  isMuted = false;
  /** A sentence about what could not be had, or was lost; empty when all is well. */
  trouble = "";
  private devices: Devices = preferredDevices();
  private isClosed = false;

  /** Takes microphone and, for video, camera; rejects with a sentence when not even the first is there. */
  static async open(media: Media): Promise<OwnMedia> {
    if (!navigator.mediaDevices) throw new Error(t("insecure"));
    const own = new OwnMedia();
    try {
      await own.capture(media);
    } catch (error) {
      own.close();
      throw new Error(inWords(error), { cause: error });
    }
    return own;
  }

  get microphone(): MediaStreamTrack | undefined {
    return this.stream.getAudioTracks()[0];
  }

  get camera(): MediaStreamTrack | undefined {
    return this.stream.getVideoTracks()[0];
  }

  get speaker(): string {
    return this.devices.speaker ?? "";
  }

  setMuted(isMuted: boolean): void {
    this.isMuted = isMuted;
    if (this.microphone) this.microphone.enabled = !isMuted;
    this.changed();
  }

  /** Off, the camera itself goes dark; on, it may have to ask for permission. */
  async setCamera(isOn: boolean): Promise<void> {
    if (!isOn) return this.release(this.camera);
    if (!this.camera) await this.attempt(async () => this.hold(await this.capturedCamera()));
  }

  async share(): Promise<void> {
    const constraints = { video: { frameRate: { ideal: 15, max: 30 } }, audio: false };
    try {
      const [track] = (await navigator.mediaDevices.getDisplayMedia(constraints)).getVideoTracks();
      if (!track) return;
      track.contentHint = "detail";
      track.onended = () => this.stopSharing();
      this.screen = track;
      this.trouble = "";
    } catch (error) {
      // whoever closes the browser's question has decided so, and needs no message
      if (!isDenied(error)) this.trouble = t("shareFailed");
    }
    this.changed();
  }

  stopSharing(): void {
    this.screen?.stop();
    this.screen = undefined;
    this.changed();
  }

  /** The devices there are, by kind; their names are known only once one of them is in use. */
  async list(kind: DeviceKind): Promise<MediaDeviceInfo[]> {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((device) => device.kind === INPUTS[kind] && device.deviceId !== "");
  }

  /** The id of the device in use. */
  inUse(kind: DeviceKind): string {
    if (kind === "speaker") return this.speaker;
    const track = kind === "camera" ? this.camera : this.microphone;
    return track?.getSettings().deviceId ?? "";
  }

  async choose(kind: DeviceKind, deviceId: string): Promise<void> {
    this.devices = { ...this.devices, [kind]: deviceId };
    preferDevices(this.devices);
    const exact = { deviceId: { exact: deviceId } };
    if (kind === "microphone") await this.attempt(async () => this.hold(await captured({ audio: exact })));
    if (kind === "camera" && this.camera)
      await this.attempt(async () => this.hold(await this.capturedCamera(exact)));
    this.changed();
  }

  close(): void {
    this.isClosed = true;
    [...this.stream.getTracks(), this.screen].forEach((track) => track?.stop());
  }

  private async capture(media: Media): Promise<void> {
    const audio = this.preferred("microphone");
    if (media === "audio") return this.hold(await captured({ audio }));
    try {
      this.hold(await captured({ audio, video: { ...PICTURE, ...this.preferred("camera") } }));
    } catch (error) {
      if (isDenied(error)) throw error;
      this.hold(await captured({ audio }));
      this.trouble = t(isMissing(error) ? "noCamera" : "cameraBusy");
    }
  }

  private capturedCamera(which: MediaTrackConstraints = this.preferred("camera")): Promise<MediaStream> {
    return captured({ video: { ...PICTURE, ...which } });
  }

  private preferred(kind: DeviceKind): MediaTrackConstraints {
    const deviceId = this.devices[kind];
    return deviceId ? { deviceId: { ideal: deviceId } } : {};
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      this.trouble = "";
      await work();
    } catch (error) {
      this.trouble = inWords(error);
    }
    this.changed();
  }

  /** Takes new tracks in the place of those of their kind. */
  private hold(captured: MediaStream): void {
    for (const track of captured.getTracks()) {
      if (this.isClosed) track.stop();
      this.stream
        .getTracks()
        .filter(({ kind }) => kind === track.kind)
        .forEach((old) => this.drop(old));
      track.onended = () => this.lost(track);
      if (track.kind === "audio") track.enabled = !this.isMuted;
      this.stream.addTrack(track);
    }
    this.changed();
  }

  private release(track: MediaStreamTrack | undefined): void {
    if (track) this.drop(track);
    this.changed();
  }

  private drop(track: MediaStreamTrack): void {
    track.onended = null;
    track.stop();
    this.stream.removeTrack(track);
  }

  /** A device was unplugged or taken away: another microphone will do, a camera is not forced on anybody. */
  private lost(track: MediaStreamTrack): void {
    this.drop(track);
    this.trouble = t(track.kind === "audio" ? "microphoneLost" : "cameraLost");
    this.changed();
    if (track.kind === "audio") {
      captured({ audio: true }).then(
        (stream) => this.hold(stream),
        () => {},
      );
    }
  }
}

const captured = (constraints: MediaStreamConstraints): Promise<MediaStream> =>
  navigator.mediaDevices.getUserMedia(constraints);

const nameOf = (error: unknown): string => (error instanceof DOMException ? error.name : "");

const isDenied = (error: unknown): boolean => ["NotAllowedError", "SecurityError"].includes(nameOf(error));

const isMissing = (error: unknown): boolean =>
  ["NotFoundError", "OverconstrainedError"].includes(nameOf(error));

const inWords = (error: unknown): string => {
  if (isDenied(error)) return t("noPermission");
  return t(isMissing(error) ? "noDevice" : "deviceBusy");
};
