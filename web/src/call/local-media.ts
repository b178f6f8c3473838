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

/** Media that this browser captures for a call: microphone, camera and screen. Fires `change`. */
export class LocalMedia extends Observable {
  /** Microphone and camera. The screen is a track of its own, outside this stream. */
  readonly stream = new MediaStream();
  screen: MediaStreamTrack | undefined;
  isMuted = false;
  /** Sentence about a device that could not be captured or was lost; empty if there is none. */
  trouble = "";
  private devices: Devices = preferredDevices();
  private isClosed = false;
  private isPicking = false;
  private hasLostMicrophone = false;
  /** Number of the latest request for each source; tracks that an older request brings are stopped. */
  private readonly requests: Record<Source, number> = { microphone: 0, camera: 0, screen: 0 };

  /**
   * Capture the microphone and, for video, the camera. Rejects with a sentence if there is no microphone.
   *
   * Once `signal` is aborted no track stays live, even if permission is given only after that.
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

  /** Stop the camera, or capture it again, for which the browser may ask for permission. */
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
      // Closing the browser's picker is a decision and needs no message.
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

  /** List the devices of a kind. Browsers tell their names only while one of them is captured. */
  async list(kind: DeviceKind): Promise<MediaDeviceInfo[]> {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((device) => device.kind === INPUTS[kind] && device.deviceId !== "");
  }

  /** Return the id of the device in use, or an empty text. */
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

  /** Capture devices. If the request has become stale by the time the browser answers, stop the tracks. */
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

  /** Replace the tracks of the same kind with the new ones. */
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
        // The system may mute a microphone without ending its track: for a phone call, or by a hardware switch.
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

  /** Handle an unplugged device: try another microphone, but never switch another camera on unasked. */
  private lost(track: MediaStreamTrack): void {
    this.drop(track);
    if (track.kind === "audio") this.hasLostMicrophone = true;
    this.say(t(track.kind === "audio" ? "microphoneLost" : "cameraLost"));
    void this.recoverMicrophone();
  }

  private readonly onDeviceChange = () => void this.recoverMicrophone();

  /** If the microphone in use is gone, capture any other. */
  private async recoverMicrophone(): Promise<void> {
    if (!this.hasLostMicrophone) return;
    const isLostWord = this.trouble === t("microphoneLost");
    try {
      await this.acquire("microphone", { audio: this.preferred("microphone") });
      if (isLostWord && !this.hasLostMicrophone) this.say("");
    } catch {
      // There is no microphone. The message stays, and the next `devicechange` tries again.
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
