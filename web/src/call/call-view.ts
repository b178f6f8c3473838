import { html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { callStyles } from "./call-styles";
import { t, type Word } from "../shared/i18n/en";
import "./chat-view";
import type { Conversation } from "./conversation";
import "./devices-view";
import { clock, timeOfDay } from "../shared/format";
import { icon, type IconName } from "../shared/icons";
import "./quality-view";
import { shared } from "../shared/styles";
import { Watch } from "../shared/observable";

type Panel = "chat" | "devices" | "";

const canShare = !!navigator.mediaDevices?.getDisplayMedia;

/**
 * Call in progress: pictures, state of the call and controls. Fires `hang-up`.
 *
 * A page adds controls in the slot `controls`, and the panels that they open in the slot `panel`.
 */
@customElement("visavis-call")
export class CallView extends LitElement {
  static override styles = [shared, callStyles];

  @property({ attribute: false }) conversation!: Conversation;
  @property() heading = "";
  @property({ type: Boolean }) isReconnecting = false;
  @property({ type: Boolean }) isOnline = true;
  @state() private panel: Panel = "";
  @state() private linesSeen = 0;
  @state() private isSilenced = false;
  @state() private isEnlarged = false;
  private ticking = 0;
  private readonly watch = new Watch(this, () => this.conversation);
  private readonly watchOwn = new Watch(this, () => this.conversation.own);
  private readonly onFullscreen = () => (this.isEnlarged = !!document.fullscreenElement);

  override connectedCallback(): void {
    super.connectedCallback();
    this.linesSeen = this.conversation.lines.length;
    this.ticking = window.setInterval(() => this.requestUpdate(), 1000);
    document.addEventListener("fullscreenchange", this.onFullscreen);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.ticking);
    document.removeEventListener("fullscreenchange", this.onFullscreen);
  }

  override render() {
    return html`
      <div class="stage">${this.pictures()}${this.facts()}${this.veil()}</div>
      ${this.messages()}
      <div class="bar" role="toolbar" aria-label=${t("controls")}>${this.controls()}</div>
      <div class="panel" ?hidden=${!this.panel} id="panel" @keydown=${this.onKey}>${this.opened()}</div>
      <slot name="panel"></slot>
    `;
  }

  override updated(): void {
    if (this.panel === "chat") this.linesSeen = this.conversation.lines.length;
    for (const video of this.renderRoot.querySelectorAll<HTMLVideoElement>("video")) this.play(video);
  }

  private pictures() {
    const { link, own } = this.conversation;
    const hasCamera = !!link?.remote.getVideoTracks().length;
    const hasScreen = !!link?.remoteScreen.getTracks().length;
    const own$ = own.camera
      ? html`<video class="own" autoplay playsinline muted aria-label=${t("yourPicture")} .srcObject=${own.stream}></video>`
      : nothing;
    return html`
      ${hasScreen ? html`<video class="main theirs" id="screen" autoplay playsinline muted aria-label=${t("theirScreen")} .srcObject=${link.remoteScreen}></video>` : nothing}
      <video class="theirs ${hasScreen ? "aside" : "main"}" id="remote" ?hidden=${!hasCamera} autoplay playsinline aria-label=${t("theirPicture")} .srcObject=${link?.remote ?? null}></video>
      ${hasCamera || hasScreen ? nothing : html`<div class="voice"><span class="face">${icon("person", 40)}</span>${this.heading}</div>`}
      ${own$}
    `;
  }

  private facts() {
    const { recording, seconds, own } = this.conversation;
    return html`
      <div class="facts start">
        ${recording?.state === "on" ? html`<span class="chip recording"><i></i>${t("recordedSince")} ${timeOfDay(recording.since)}</span>` : nothing}
        ${recording?.state === "paused" ? html`<span class="chip">${icon("pause", 14)} ${t("recordingPaused")}</span>` : nothing}
        ${own.screen ? html`<span class="chip">${icon("screen", 14)} ${t("youShare")}</span>` : nothing}
      </div>
      <div class="facts end"><visavis-quality .quality=${this.conversation.quality}></visavis-quality></div>
      <div class="facts bottom"><span class="chip">${this.heading}${seconds === undefined ? nothing : html` · <span class="time">${clock(seconds)}</span>`}</span></div>
    `;
  }

  private veil() {
    if (this.isReconnecting)
      return html`<div class="veil"><span class="spinner"></span>${t("reconnecting")}</div>`;
    if (!this.isSilenced) return nothing;
    return html`<div class="veil"><button class="primary" @click=${this.unsilence}>${icon("sound")} ${t("soundOn")}</button></div>`;
  }

  private messages() {
    const { trouble } = this.conversation.own;
    return html`<div class="messages" role="status">
      ${this.isOnline ? nothing : html`<p class="line small warn">${icon("warning", 18)} ${t("lostSignaling")}</p>`}
      ${trouble ? html`<p class="line small warn">${icon("warning", 18)} ${trouble}</p>` : nothing}
    </div>`;
  }

  private controls() {
    const { own, lines } = this.conversation;
    const unread = this.panel === "chat" ? 0 : lines.length - this.linesSeen;
    return html`
      ${control("mute", own.isMuted ? "microphoneOff" : "microphone", own.isMuted ? "unmute" : "mute", () => own.setMuted(!own.isMuted), own.isMuted)}
      ${control("camera", own.camera ? "camera" : "cameraOff", own.camera ? "cameraOff" : "cameraOn", () => void own.setCamera(!own.camera), !own.camera)}
      ${canShare ? control("share", own.screen ? "screenOff" : "screen", own.screen ? "stopSharing" : "shareScreen", () => void (own.screen ? own.stopSharing() : own.share()), !!own.screen) : nothing}
      <slot name="controls"></slot>
      ${this.opener("chat", "chat", "text", unread)}
      ${this.opener("devices", "devices", "devices")}
      ${document.fullscreenEnabled ? control("enlarge", this.isEnlarged ? "shrink" : "enlarge", this.isEnlarged ? "shrink" : "enlarge", () => this.enlarge()) : nothing}
      <button class="round danger" id="hang-up" aria-label=${t("hangUp")} title=${t("hangUp")} @click=${() => this.dispatchEvent(new Event("hang-up"))}>${icon("hangUp", 24)}</button>
    `;
  }

  private opener(panel: Panel, drawing: IconName, word: Word, unread = 0) {
    const label = unread ? `${t(word)} (${unread} ${t("unread")})` : t(word);
    return html`<button class="round" id=${panel} aria-label=${label} title=${label} aria-expanded=${this.panel === panel} aria-controls="panel" @click=${() => this.toggle(panel)}>
      ${icon(drawing)}${unread ? html`<span class="count" aria-hidden="true">${unread}</span>` : nothing}
    </button>`;
  }

  private opened() {
    if (this.panel === "chat") return html`<visavis-chat .conversation=${this.conversation}></visavis-chat>`;
    return this.panel ? html`<visavis-devices .own=${this.conversation.own}></visavis-devices>` : nothing;
  }

  private toggle(panel: Panel): void {
    this.panel = this.panel === panel ? "" : panel;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    this.renderRoot.querySelector<HTMLElement>(`#${this.panel}`)?.focus();
    this.panel = "";
  }

  private enlarge(): void {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.requestFullscreen();
  }

  /** Play a picture. After a reload a browser may require a click before it plays sound. */
  private play(video: HTMLVideoElement): void {
    if (video.matches(".theirs")) this.hear(video);
    if (!video.paused || !video.srcObject) return;
    video.play().then(
      () => (this.isSilenced = false),
      (error: DOMException) => (this.isSilenced = error.name === "NotAllowedError"),
    );
  }

  private hear(video: HTMLVideoElement): void {
    const { speaker } = this.conversation.own;
    if (video.sinkId === speaker || !("setSinkId" in video)) return;
    video.setSinkId(speaker).catch(() => {
      // It was unplugged: the sound stays on the present loudspeaker.
    });
  }

  private unsilence(): void {
    this.isSilenced = false;
    this.updated();
  }
}

const control = (id: string, drawing: IconName, word: Word, press: () => void, isPressed?: boolean) =>
  html`<button class="round" id=${id} aria-label=${t(word)} title=${t(word)} aria-pressed=${isPressed ?? nothing} @click=${press}>${icon(drawing)}</button>`;
