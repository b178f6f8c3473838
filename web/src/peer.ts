import { t } from "./catalogue";
import type { Media } from "./protocol";

/** This browser's end of a call: what it sends, what it receives, and their transport. */
export class Peer {
  readonly connection = new RTCPeerConnection({
    bundlePolicy: "max-bundle",
    rtcpMuxPolicy: "require",
  });
  readonly remote = new MediaStream();

  private constructor(readonly local: MediaStream) {
    this.connection.ontrack = ({ track }) => this.remote.addTrack(track);
  }

  /** Takes microphone and, for video, camera; rejects with a sentence for the person. */
  static async open(media: Media): Promise<Peer> {
    if (!navigator.mediaDevices) throw new Error(t("insecure"));
    try {
      const video = media === "video" && { width: { ideal: 640 }, height: { ideal: 360 } };
      return new Peer(await navigator.mediaDevices.getUserMedia({ audio: true, video }));
    } catch (error) {
      throw new Error(inWords(error));
    }
  }

  /** Our relay is ICE-lite and knows its own addresses, so the offer goes out at once. */
  async offer(): Promise<string> {
    this.addTracks();
    await this.connection.setLocalDescription();
    return this.connection.localDescription!.sdp;
  }

  async acceptAnswer(sdp: string): Promise<void> {
    await this.connection.setRemoteDescription({ type: "answer", sdp });
  }

  async answer(offer: string): Promise<string> {
    await this.connection.setRemoteDescription({ type: "offer", sdp: offer });
    this.addTracks();
    await this.connection.setLocalDescription();
    return this.connection.localDescription!.sdp;
  }

  close(): void {
    this.local.getTracks().forEach((track) => track.stop());
    this.connection.close();
  }

  private addTracks(): void {
    this.local.getTracks().forEach((track) => this.connection.addTrack(track, this.local));
  }
}

const inWords = (error: unknown): string => {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return t("noPermission");
    case "NotReadableError":
    case "AbortError":
      return t("deviceBusy");
    default:
      return t("noDevice");
  }
};
