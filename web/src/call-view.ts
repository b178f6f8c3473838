import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t } from "./catalogue";
import { clock } from "./format";
import type { Peer } from "./peer";
import { shared } from "./styles";

/** A call in progress: both pictures and the controls. Fires `hang-up`. */
@customElement("visavis-call")
export class CallView extends LitElement {
  static override styles = [
    shared,
    css`
      .stage { position: relative; background: #0c1013; border-radius: 12px; overflow: hidden; aspect-ratio: 16 / 9; }
      .remote { width: 100%; height: 100%; object-fit: contain; display: block; }
      .own { position: absolute; right: 0.6rem; bottom: 0.6rem; width: 26%; border-radius: 8px; transform: scaleX(-1); border: 1px solid #fff6; }
      .voice { position: absolute; inset: 0; display: grid; place-items: center; color: #e8ecef; font-size: 1.2rem; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; margin-top: 0.75rem; }
      .time { font-variant-numeric: tabular-nums; flex: 1 0 10rem; }
    `,
  ];

  @property({ attribute: false }) peer!: Peer;
  @property() heading = "";
  @property({ type: Number }) since = Date.now();
  @state() private isMuted = false;
  @state() private isHidden = false;
  private ticking = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.ticking = window.setInterval(() => this.requestUpdate(), 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.ticking);
  }

  override render() {
    const hasVideo = this.peer.local.getVideoTracks().length > 0;
    return html`
      <div class="stage">
        <video class="remote" autoplay playsinline aria-label=${t("theirPicture")} .srcObject=${this.peer.remote}></video>
        ${hasVideo
          ? html`<video class="own" autoplay playsinline muted aria-label=${t("yourPicture")} .srcObject=${this.peer.local}></video>`
          : html`<div class="voice">${this.heading}</div>`}
      </div>
      <div class="bar">
        <span class="time quiet">${this.heading} · ${clock((Date.now() - this.since) / 1000)}</span>
        <button aria-pressed=${this.isMuted} @click=${this.toggleMute}>${t(this.isMuted ? "unmute" : "mute")}</button>
        ${hasVideo
          ? html`<button aria-pressed=${this.isHidden} @click=${this.toggleCamera}>${t(this.isHidden ? "cameraOn" : "cameraOff")}</button>`
          : nothing}
        <button class="danger" id="hang-up" @click=${() => this.dispatchEvent(new Event("hang-up"))}>${t("hangUp")}</button>
      </div>
    `;
  }

  private toggleMute(): void {
    this.isMuted = !this.isMuted;
    this.peer.local.getAudioTracks().forEach((track) => (track.enabled = !this.isMuted));
  }

  private toggleCamera(): void {
    this.isHidden = !this.isHidden;
    this.peer.local.getVideoTracks().forEach((track) => (track.enabled = !this.isHidden));
  }
}
