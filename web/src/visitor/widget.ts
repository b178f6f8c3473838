import { html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import "../call/call-view";
import { t, type Word } from "../shared/i18n/en";
import "./check-view";
import { clock } from "../shared/format";
import { icon } from "../shared/icons";
import { isMadeSmall, rememberSmall } from "../call/resume-storage";
import "./message-form";
import type { Media } from "../generated/signaling";
import { signalingUrl, type EarlySocket } from "../call/signaling";
import { shared } from "../shared/styles";
import { Watch } from "../shared/observable";
import { VisitorSession, type Happening, type Stage } from "./visitor-session";
import { widgetStyles } from "./widget-styles";

const WAITING: Partial<Record<Stage, Word>> = {
  calling: "calling",
  queued: "queuedHelp",
  connecting: "connecting",
};

/** Screens so small that the card would cover the host page: there the round button is shown first. */
const SMALL_SCREEN = "(max-width: 480px), (max-height: 480px)";
const KEYS = ["keydown", "keypress", "keyup"] as const;

/**
 * Widget in a host page: the buttons to call, the check, the call and the message after it.
 *
 * The call goes on when the host page moves the element in its document.
 */
@customElement("visavis-widget")
export class Widget extends LitElement {
  static override styles = [shared, widgetStyles];

  @property() origin = location.origin;
  @property() site = "1";
  /** Secret of a join link; empty on a site's own pages. */
  @property() join = "";
  @property({ reflect: true, attribute: "data-state" }) stage: Stage = "idle";
  visitor: VisitorSession | undefined;
  /** The socket that the loader opened while this code was loading. */
  early: EarlySocket | undefined;
  @state() private isOpen = true;
  @state() private isHidden = false;
  @state() private isSmall = false;
  private readonly keepInside = (event: Event) => event.stopPropagation();
  private hadFocus = false;
  private focusNext = false;
  private readonly watch = new Watch(this, () => this.visitor);

  override connectedCallback(): void {
    super.connectedCallback();
    // The host page's shortcuts must not act on what is typed here.
    for (const name of KEYS) this.addEventListener(name, this.keepInside);
    if (this.visitor) return this.requestUpdate();
    const who = this.join ? `join=${encodeURIComponent(this.join)}` : `site=${encodeURIComponent(this.site)}`;
    const tell = (happening: Happening, detail: object) =>
      this.dispatchEvent(new CustomEvent(happening, { detail }));
    this.visitor = new VisitorSession(
      signalingUrl(this.origin, `/signaling/visitor?${who}`),
      `visavis.call.${who}`,
      tell,
      (reason) => this.complain(reason),
      this.early,
    );
    this.early = undefined;
    if (!this.join) this.isOpen = !matchMedia(SMALL_SCREEN).matches && !isMadeSmall(this.site);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    for (const name of KEYS) this.removeEventListener(name, this.keepInside);
  }

  /** Tell the host page's author, in the browser's console, why the server refused the widget. */
  private complain(reason: string): void {
    const place = this.join ? "this join link" : `data-site="${this.site}" at ${this.origin}`;
    console.error(`visavis: ${place} was refused: ${reason} The widget stays hidden.`);
  }

  /** Place the widget "left" or "right", at pixels from the side and the bottom ("24" or "24,80"). */
  place(position = "right", offset = ""): void {
    this.toggleAttribute("left", position === "left");
    const [x, y = x] = offset.split(",").map((part) => Number.parseFloat(part));
    if (x !== undefined && x >= 0) this.style.setProperty("--offset-x", `${x}px`);
    if (y !== undefined && y >= 0) this.style.setProperty("--offset-y", `${y}px`);
  }

  call(media: Media): Promise<void> {
    return this.visitor!.prepare(media);
  }

  show(): void {
    Object.assign(this, { isHidden: false, isSmall: false });
    this.open();
  }

  hide(): void {
    this.isHidden = true;
  }

  minimize(): void {
    if (this.stage === "idle" || this.stage === "ended") this.shrink();
    else this.isSmall = true;
  }

  /** End the call, close the connection to the server and remove the widget. */
  destroy(): void {
    this.visitor?.hangUp();
    this.visitor?.close();
    this.remove();
  }

  get peerConnection(): RTCPeerConnection | undefined {
    return this.visitor?.conversation?.link?.connection;
  }

  override willUpdate(): void {
    this.hadFocus = this.shadowRoot?.activeElement !== null;
    this.stage = this.visitor!.stage;
    const { invitation } = this.visitor!;
    if (invitation || (this.stage !== "idle" && this.stage !== "ended")) this.isHidden = false;
    if (this.stage === "idle" || this.stage === "ended") this.isSmall = false;
  }

  /** Move the keyboard focus to what is shown next. */
  override updated(changed: PropertyValues<this>): void {
    if (this.focusNext) this.focusFirst();
    this.focusNext = false;
    const before = changed.get("stage");
    if (!changed.has("stage") || before === undefined) return;
    if (this.hadFocus || this.stage === "checking") this.focusFirst();
  }

  override render() {
    const { stage, availability, invitation } = this.visitor!;
    if (this.isHidden || (stage === "idle" && !availability.isEnabled)) return nothing;
    if (stage === "idle" && !invitation && !this.isOpen) return this.launcher();
    const isDialog = stage !== "idle" && stage !== "ended";
    return html`<section class="card ${stage} ${this.isSmall ? "small-bar" : ""}" dir="ltr" role=${isDialog ? "dialog" : "region"} aria-label=${t("talkToUs")} @keydown=${this.onKey}>
      ${this.isSmall ? this.bar() : nothing}
      <div class="content" ?hidden=${this.isSmall}>${invitation && stage === "idle" ? this.invited() : this.body(stage)}</div>
    </section>`;
  }

  private body(stage: Stage) {
    switch (stage) {
      case "idle":
        return this.choices();
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
    return html`<button class="primary launcher" id="first" dir="ltr" aria-label=${t("talkToUs")} title=${t("talkToUs")} aria-expanded="false" @click=${() => this.openByHand()}>${icon("phone", 26)}</button>`;
  }

  private choices() {
    const { isRecorded } = this.visitor!.availability;
    const head = (word: Word) =>
      html`<div class="head"><p class="title">${t(word)}</p>${this.stage === "idle" && !this.join ? this.shrinker() : nothing}</div>`;
    if (!this.visitor!.isStaffed) {
      return html`${head("nobodyHere")}
        <div class="buttons"><button class="primary" id="message" @click=${() => this.call("audio")}>${icon("chat")} ${t("leaveMessageNow")}</button></div>`;
    }
    return html`
      ${head("talkToUs")}
      <div class="buttons">
        <button class="primary" id="video" @click=${() => this.call("video")}>${icon("camera")} ${t("videoCall")}</button>
        <button id="audio" @click=${() => this.call("audio")}>${icon("phone")} ${t("audioCall")}</button>
      </div>
      ${isRecorded ? html`<p class="quiet small">${t("recordedNotice")}</p>` : nothing}
    `;
  }

  private shrinker() {
    return html`<button class="round" id="minimize" aria-label=${t("makeSmall")} title=${t("makeSmall")} @click=${() => this.minimizeByHand()}>${icon("minimize", 18)}</button>`;
  }

  /** Bar with the call in one line, so that the visitor can use the page during the call. */
  private bar() {
    const { conversation, stage, isInCall } = this.visitor!;
    const seconds = conversation?.seconds;
    const words =
      stage === "connected" || stage === "reconnecting"
        ? conversation?.otherName || t("agent")
        : t(WAITING[stage] ?? "calling");
    return html`<div class="line-bar">
      <p class="name" role="status">${stage === "reconnecting" ? t("reconnecting") : words}</p>
      ${seconds === undefined ? nothing : html`<span class="time">${clock(seconds)}</span>`}
      <button class="round" id="restore" aria-label=${t("openCall")} title=${t("openCall")} @click=${() => this.restoreByHand()}>${icon("enlarge", 18)}</button>
      <button class="round danger" aria-label=${t(isInCall ? "hangUp" : "cancel")} title=${t(isInCall ? "hangUp" : "cancel")} @click=${() => this.visitor!.hangUp()}>${icon("hangUp")}</button>
    </div>`;
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
        ?isReconnecting=${stage === "reconnecting"} ?isOnline=${isOnline} @hang-up=${() => this.visitor!.hangUp()}>
        ${this.join ? nothing : html`<span slot="controls">${this.shrinker()}</span>`}</visavis-call>
    `;
  }

  private ended() {
    const { notice, reason, hasLeftMessage, availability, unsent } = this.visitor!;
    const isUnanswered = ["missed", "declined", "unattended"].includes(reason);
    const mayLeaveMessage = (isUnanswered || unsent) && !hasLeftMessage;
    return html`
      <div class="head"><p class="title" id="first" tabindex="-1" role="status">${notice}</p>
        ${this.join ? nothing : html`<button class="round" aria-label=${t("close")} title=${t("close")} @click=${() => this.visitor!.dismiss()}>${icon("close", 18)}</button>`}</div>
      ${mayLeaveMessage ? html`<p class="quiet">${t(isUnanswered ? "leaveMessage" : "unsentHelp")}</p><visavis-message .visitor=${this.visitor!}></visavis-message>` : nothing}
      ${availability.isEnabled && !mayLeaveMessage && !this.join ? this.choices() : nothing}
    `;
  }

  private focusFirst(): void {
    const check = this.renderRoot.querySelector<LitElement>("visavis-check");
    if (check)
      void check.updateComplete.then(() => check.renderRoot.querySelector<HTMLElement>("#title")?.focus());
    else this.renderRoot.querySelector<HTMLElement>(this.isSmall ? "#restore" : "#first, #video")?.focus();
  }

  private open(): void {
    this.isOpen = true;
    rememberSmall(this.site, false);
  }

  private shrink(): void {
    if (this.stage === "ended") this.visitor!.dismiss();
    this.isOpen = false;
    rememberSmall(this.site, true);
  }

  private openByHand(): void {
    this.open();
    this.focusNext = true;
  }

  private minimizeByHand(): void {
    this.minimize();
    this.focusNext = true;
  }

  private restoreByHand(): void {
    this.isSmall = false;
    this.focusNext = true;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.stage === "checking") this.visitor!.hangUp();
  }
}
