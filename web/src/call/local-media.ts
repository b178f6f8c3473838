import { t } from "../shared/i18n/en";
import { preferDevices, preferredDevices, type Devices } from "./resume-storage";
import type { Media } from "../generated/signaling";
import { Observable } from "../shared/observable";

export type DeviceKind = keyof Devices;

const PICTURE = { width: { ideal: 640 }, height: { ideal: 360 } };
const INPUTS: Record<DeviceKind, MediaDeviceKind> = {
  microphone: "audioinput",
  camera: "videoinput",
  speaker: "audiooutput",
};

type Source = "microphone" | "camera" | "screen";

/** The media that this browser captures for a call: microphone, camera and screen. Fires `change`. */
export class LocalMedia extends Observable {
  /** Microphone and camera; what the screen shows travels by itself. */
  readonly stream = new MediaStream();
  screen: MediaStreamTrack | undefined;
  isMuted = false;
  /** A sentence about what could not be had, or was lost; empty when all is well. */
  trouble = "";
  private devices: Devices = preferredDevices();
  private isClosed = false;
  private isPicking = false;
  private hasLostMicrophone = false;
  /** The number of the latest request for each source: the answer to an older one is released. */
  private readonly requests: Record<Source, number> = { microphone: 0, camera: 0, screen: 0 };

  /**
   * Open microphone and, for video, camera; rejects with a sentence when not even the first is there.
   *
   * Once `signal` is aborted nothing is live any more, also not what a person allows only then.
   */
  static async open(media: Media, signal?: AbortSignal): Promise<LocalMedia> {
    if (!navigator.mediaDevices) throw new Error(t("insecure"));
    const own = new LocalMedia();
    const close = () => own.close();
    signal?.addEventListener("abort", close);
    try {
      await own.capture(media);
      signal?.throwIfAborted();
    } catch (error) {
      own.close();
      throw signal?.aborted ? error : new Error(inWords(error), { cause: error });
    } finally {
      signal?.removeEventListener("abort", close);
    }
    navigator.mediaDevices.addEventListener("devicechange", own.onDeviceChange);
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
    if (!isOn) {
      this.requests.camera += 1;
      return this.release(this.camera);
    }
    if (!this.camera) await this.attempt(() => this.acquire("camera", this.cameraConstraints()));
  }

  async share(): Promise<void> {
    if (this.isPicking || this.screen) return;
    this.isPicking = true;
    const constraints = { video: { frameRate: { ideal: 15, max: 30 } }, audio: false };
    const request = (this.requests.screen += 1);
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia(constraints);
      if (this.isStale("screen", request)) return stream.getTracks().forEach((track) => track.stop());
      const [track] = stream.getVideoTracks();
      if (!track) return;
      track.contentHint = "detail";
      track.onended = () => this.stopSharing();
      this.screen = track;
      this.trouble = "";
    } catch (error) {
      // A person who closes the browser's picker has decided so, and needs no message.
      if (!isDenied(error)) this.trouble = t("shareFailed");
    } finally {
      this.isPicking = false;
    }
    this.changed();
  }

  stopSharing(): void {
    this.requests.screen += 1;
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
    if (kind === "microphone") await this.attempt(() => this.acquire("microphone", { audio: exact }));
    if (kind === "camera" && this.camera) {
      await this.attempt(() => this.acquire("camera", this.cameraConstraints(exact)));
    }
    this.changed();
  }

  close(): void {
    this.isClosed = true;
    navigator.mediaDevices.removeEventListener("devicechange", this.onDeviceChange);
    for (const track of [...this.stream.getTracks(), this.screen]) {
      if (!track) continue;
      track.onended = track.onmute = track.onunmute = null;
      track.stop();
    }
  }

  private async capture(media: Media): Promise<void> {
    const audio = this.preferred("microphone");
    if (media === "audio") return this.acquire("microphone", { audio });
    try {
      await this.acquire("camera", { audio, ...this.cameraConstraints() });
    } catch (error) {
      if (isDenied(error) || this.isClosed) throw error;
      await this.acquire("microphone", { audio });
      this.trouble = t(isMissing(error) ? "noCamera" : "cameraBusy");
    }
  }

  /** Capture from devices, unless nobody wants that any more by the time the browser has them. */
  private async acquire(source: Source, constraints: MediaStreamConstraints): Promise<void> {
    const request = (this.requests[source] += 1);
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    if (this.isStale(source, request)) stream.getTracks().forEach((track) => track.stop());
    else this.hold(stream);
  }

  private isStale(source: Source, request: number): boolean {
    return this.isClosed || this.requests[source] !== request;
  }

  private cameraConstraints(which: MediaTrackConstraints = this.preferred("camera")): MediaStreamConstraints {
    return { video: { ...PICTURE, ...which } };
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

  /** Put new tracks in the place of those of their kind. */
  private hold(captured: MediaStream): void {
    for (const track of captured.getTracks()) {
      this.stream
        .getTracks()
        .filter(({ kind }) => kind === track.kind)
        .forEach((old) => this.drop(old));
      track.onended = () => this.lost(track);
      if (track.kind === "audio") {
        track.enabled = !this.isMuted;
        this.hasLostMicrophone = false;
        // The system may silence a microphone without ending its track: a call on the phone, a switch.
        track.onmute = () => this.say(t("microphoneSilenced"));
        track.onunmute = () => this.say("");
      }
      this.stream.addTrack(track);
    }
    this.changed();
  }

  private say(trouble: string): void {
    this.trouble = trouble;
    this.changed();
  }

  private release(track: MediaStreamTrack | undefined): void {
    if (track) this.drop(track);
    this.changed();
  }

  private drop(track: MediaStreamTrack): void {
    track.onended = track.onmute = track.onunmute = null;
    track.stop();
    this.stream.removeTrack(track);
  }

  /** A device was unplugged or taken away: another microphone will do, a camera is not forced on anybody. */
  private lost(track: MediaStreamTrack): void {
    this.drop(track);
    if (track.kind === "audio") this.hasLostMicrophone = true;
    this.say(t(track.kind === "audio" ? "microphoneLost" : "cameraLost"));
    void this.recoverMicrophone();
  }

  private readonly onDeviceChange = () => void this.recoverMicrophone();

  /** Capture from whatever microphone there is, when the one in use is gone. */
  private async recoverMicrophone(): Promise<void> {
    if (!this.hasLostMicrophone) return;
    const isLostWord = this.trouble === t("microphoneLost");
    try {
      await this.acquire("microphone", { audio: this.preferred("microphone") });
      if (isLostWord && !this.hasLostMicrophone) this.say("");
    } catch {
      // None is plugged in: the next `devicechange` tries again, and the message says so meanwhile.
    }
  }
}

const nameOf = (error: unknown): string => (error instanceof DOMException ? error.name : "");

const isDenied = (error: unknown): boolean => ["NotAllowedError", "SecurityError"].includes(nameOf(error));

const isMissing = (error: unknown): boolean =>
  ["NotFoundError", "OverconstrainedError"].includes(nameOf(error));

const inWords = (error: unknown): string => {
  if (isDenied(error)) return t("noPermission");
  return t(isMissing(error) ? "noDevice" : "deviceBusy");
};
