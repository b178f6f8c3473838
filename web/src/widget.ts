import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import "./call-view";
import { endedBecause, t } from "./catalogue";
import { Peer } from "./peer";
import type { FromVisitor, Media, ToVisitor } from "./protocol";
import { Signaling, signalingUrl } from "./signaling";
import { shared } from "./styles";

type Stage = "idle" | "asking" | "calling" | "connecting" | "connected" | "ended";

/** The visitor's two buttons and the call behind them, in a shadow root on anybody's page. */
@customElement("visavis-widget")
export class Widget extends LitElement {
  static override styles = [
    shared,
    css`
      :host { position: fixed; right: 1rem; bottom: 1rem; z-index: 2147483000; max-width: calc(100vw - 2rem); }
      .card { box-shadow: 0 10px 40px #0003; width: min(26rem, 100%); }
      .buttons { display: flex; flex-wrap: wrap; gap: 0.5rem; }
      .title { font-weight: 600; }
      .buttons + p, visavis-call + p { margin: 0.75rem 0 0; }
      :host(:not([data-state="connected"])) .card { width: auto; }
    `,
  ];

  @property() origin = location.origin;
  @property() site = "1";
  @property({ reflect: true, attribute: "data-state" }) stage: Stage = "idle";
  @state() private isEnabled = false;
  @state() private isRecorded = false;
  @state() private notice = "";
  peer: Peer | undefined;
  private callId = "";
  private since = 0;
  private signaling!: Signaling<ToVisitor, FromVisitor>;

  override connectedCallback(): void {
    super.connectedCallback();
    const url = signalingUrl(this.origin, `/signaling/visitor?site=${this.site}`);
    this.signaling = new Signaling(url, (m) => void this.hear(m), (open) => this.onOpen(open));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.signaling.close();
    this.finish("");
  }

  async call(media: Media): Promise<void> {
    if (this.stage !== "idle" && this.stage !== "ended") return;
    this.notice = "";
    this.stage = "asking";
    try {
      this.peer = await Peer.open(media);
      this.signaling.send({ type: "call", media, offer: await this.peer.offer() });
      this.stage = "calling";
    } catch (error) {
      this.finish((error as Error).message);
    }
  }

  hangUp(): void {
    if (this.callId) this.signaling.send({ type: "hangUp", callId: this.callId });
    this.finish(t("ended.hungUp"));
  }

  override render() {
    if (this.stage === "idle" && !this.isEnabled) return nothing;
    return html`<section class="card" aria-label=${t("talkToUs")}>${this.body()}</section>`;
  }

  private body() {
    switch (this.stage) {
      case "connected":
        return html`<visavis-call .peer=${this.peer!} .since=${this.since} heading=${t("connected")} @hang-up=${this.hangUp}></visavis-call>
          ${this.isRecorded ? html`<p><span class="badge">${t("recorded")}</span></p>` : nothing}`;
      case "idle":
      case "ended":
        return this.launcher();
      default:
        return html`<p role="status">${t(this.stage === "asking" ? "askingMedia" : this.stage)}</p>
          <button class="danger" @click=${this.hangUp}>${t("cancel")}</button>`;
    }
  }

  private launcher() {
    return html`
      <p class="title">${t("talkToUs")}</p>
      ${this.notice ? html`<p role="status">${this.notice}</p>` : nothing}
      ${this.isEnabled
        ? html`<div class="buttons">
              <button class="primary" id="video" @click=${() => this.call("video")}>${t("videoCall")}</button>
              <button id="audio" @click=${() => this.call("audio")}>${t("audioCall")}</button>
            </div>
            ${this.isRecorded ? html`<p class="quiet">${t("recordedNotice")}</p>` : nothing}`
        : html`<button @click=${() => (this.stage = "idle")}>${t("close")}</button>`}
    `;
  }

  private async hear(message: ToVisitor): Promise<void> {
    switch (message.type) {
      case "availability":
        this.isEnabled = message.isEnabled;
        if (!this.peer) this.isRecorded = message.isRecorded;
        break;
      case "calling":
        this.callId = message.callId;
        this.isRecorded = message.isRecorded;
        if (!this.peer) this.signaling.send({ type: "hangUp", callId: message.callId });
        break;
      case "answer":
        await this.peer?.acceptAnswer(message.sdp);
        break;
      case "callState":
        this.progress(message.state);
        break;
      case "ended":
        if (message.callId === this.callId) this.finish(endedBecause(message.reason));
        break;
      case "refused":
        if (this.peer) this.finish(message.message);
    }
  }

  private progress(state: string): void {
    if (!this.peer) return;
    if (state === "accepted" || state === "connecting") this.stage = "connecting";
    if (state === "connected") {
      this.since = Date.now();
      this.stage = "connected";
    }
  }

  private onOpen(isOpen: boolean): void {
    if (!isOpen && this.peer) this.finish(t("ended.failed"));
  }

  private finish(notice: string): void {
    const wasCalling = this.stage !== "idle";
    this.peer?.close();
    this.peer = undefined;
    this.callId = "";
    this.notice = notice;
    if (wasCalling) {
      this.stage = "ended";
      this.dispatchEvent(new CustomEvent("ended", { detail: notice }));
    }
  }
}

/** Called by the loader; also what integrators use: `visavis.call("video")`. */
export const start = (origin: string, site: string): void => {
  const widget = new Widget();
  widget.origin = origin;
  widget.site = site;
  document.body.append(widget);
  Object.assign(window, {
    visavis: {
      call: (media: Media) => widget.call(media),
      hangUp: () => widget.hangUp(),
      on: (event: string, listener: EventListener) => widget.addEventListener(event, listener),
      get peerConnection() {
        return widget.peer?.connection;
      },
    },
  });
};
