import { html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import "./call-view";
import { t, type Word } from "./catalogue";
import "./check-view";
import { icon } from "./icons";
import "./message-form";
import type { Media } from "./protocol";
import { signalingUrl } from "./signaling";
import { shared } from "./styles";
import { Watch } from "./subject";
import { Visitor, type Happening, type Stage } from "./visitor";
import { widgetStyles } from "./widget-styles";

const WAITING: Partial<Record<Stage, Word>> = {
  calling: "calling",
  queued: "queuedHelp",
  connecting: "connecting",
};

/** The visitor's two buttons and the call behind them, in a shadow root on anybody's page. */
@customElement("visavis-widget")
export class Widget extends LitElement {
  static override styles = [shared, widgetStyles];

  @property() origin = location.origin;
  @property() site = "1";
  /** The secret part of a join address; empty on a site's own pages. */
  @property() join = "";
  @property({ reflect: true, attribute: "data-state" }) stage: Stage = "idle";
  visitor: Visitor | undefined;
  private hadFocus = false;
  private readonly watch = new Watch(this, () => this.visitor);

  override connectedCallback(): void {
    super.connectedCallback();
    const who = this.join ? `join=${encodeURIComponent(this.join)}` : `site=${encodeURIComponent(this.site)}`;
    const tell = (happening: Happening, detail: object) =>
      this.dispatchEvent(new CustomEvent(happening, { detail }));
    this.visitor = new Visitor(
      signalingUrl(this.origin, `/signaling/visitor?${who}`),
      `visavis.call.${who}`,
      tell,
    );
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.visitor?.close();
  }

  call(media: Media): Promise<void> {
    return this.visitor!.prepare(media);
  }

  get peerConnection(): RTCPeerConnection | undefined {
    return this.visitor?.conversation?.link?.connection;
  }

  override willUpdate(): void {
    this.hadFocus = this.shadowRoot?.activeElement !== null;
    this.stage = this.visitor!.stage;
  }

  /** Whoever was here with the keyboard stays here when the next thing is shown. */
  override updated(changed: PropertyValues<this>): void {
    const before = changed.get("stage");
    if (!changed.has("stage") || before === undefined) return;
    if (this.hadFocus || this.stage === "checking") this.focusFirst();
  }

  override render() {
    const { stage, availability, invitation } = this.visitor!;
    if (stage === "idle" && !availability.isEnabled) return nothing;
    const isDialog = stage !== "idle" && stage !== "ended";
    return html`<section class="card ${stage}" role=${isDialog ? "dialog" : "region"} aria-label=${t("talkToUs")} @keydown=${this.onKey}>
      ${invitation && stage === "idle" ? this.invited() : this.body(stage)}
    </section>`;
  }

  private body(stage: Stage) {
    switch (stage) {
      case "idle":
        return this.launcher();
      case "checking":
        return html`<visavis-check .visitor=${this.visitor!}></visavis-check>`;
      case "ended":
        return this.ended();
      case "connected":
      case "reconnecting":
        if (this.visitor!.conversation) return this.inCall();
        return this.waiting(t("reconnecting"));
      default:
        return this.waiting(t(WAITING[stage]!));
    }
  }

  private launcher() {
    const { isRecorded } = this.visitor!.availability;
    return html`
      <p class="title">${t("talkToUs")}</p>
      <div class="buttons">
        <button class="primary" id="video" @click=${() => this.call("video")}>${icon("camera")} ${t("videoCall")}</button>
        <button id="audio" @click=${() => this.call("audio")}>${icon("phone")} ${t("audioCall")}</button>
      </div>
      ${isRecorded ? html`<p class="quiet small">${t("recordedNotice")}</p>` : nothing}
    `;
  }

  private invited() {
    const invitation = this.visitor!.invitation!;
    const { agentName, media } = invitation;
    return html`
      <div class="who"><span class="face">${icon("person", 26)}</span>
        <p role="alert"><strong>${agentName || t("agent")}</strong> ${t(media === "video" ? "invitesVideo" : "invitesAudio")}</p></div>
      <div class="buttons">
        <button class="primary" id="first" @click=${() => this.visitor!.prepare(media, invitation)}>${icon("phone")} ${t("acceptInvitation")}</button>
        <button @click=${() => this.visitor!.dismiss()}>${t("noThanks")}</button>
      </div>
    `;
  }

  private waiting(words: string) {
    const { stage, place, isOnline } = this.visitor!;
    return html`
      <div class="who"><span class="face ringing">${icon("phone", 26)}</span>
        <div>
          <p class="title" role="status">${words}</p>
          ${stage === "queued" ? html`<p class="place" role="status">${t("yourPlace")} <strong>${place}</strong></p>` : nothing}
          ${isOnline ? nothing : html`<p class="small error">${t("lostSignaling")}</p>`}
        </div></div>
      <button class="danger" id="first" @click=${() => this.visitor!.hangUp()}>${icon("hangUp")} ${t("cancel")}</button>
    `;
  }

  private inCall() {
    const { conversation, stage, isOnline } = this.visitor!;
    return html`
      <p class="unseen" role="status">${t(stage === "connected" ? "connected" : "reconnecting")}</p>
      <visavis-call id="first" tabindex="-1" .conversation=${conversation!} heading=${conversation!.otherName || t("agent")}
        ?isReconnecting=${stage === "reconnecting"} ?isOnline=${isOnline} @hang-up=${() => this.visitor!.hangUp()}></visavis-call>
    `;
  }

  private ended() {
    const { notice, reason, hasLeftMessage, availability } = this.visitor!;
    const mayLeaveMessage = (reason === "missed" || reason === "declined") && !hasLeftMessage;
    return html`
      <div class="head"><p class="title" id="first" tabindex="-1" role="status">${notice}</p>
        <button class="round" aria-label=${t("close")} title=${t("close")} @click=${() => this.visitor!.dismiss()}>${icon("close", 18)}</button></div>
      ${mayLeaveMessage ? html`<p class="quiet">${t("leaveMessage")}</p><visavis-message .visitor=${this.visitor!}></visavis-message>` : nothing}
      ${availability.isEnabled && !mayLeaveMessage ? this.launcher() : nothing}
    `;
  }

  private focusFirst(): void {
    const check = this.renderRoot.querySelector<LitElement>("visavis-check");
    if (check)
      void check.updateComplete.then(() => check.renderRoot.querySelector<HTMLElement>("#title")?.focus());
    else this.renderRoot.querySelector<HTMLElement>("#first, #video")?.focus();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.stage === "checking") this.visitor!.hangUp();
  }
}
