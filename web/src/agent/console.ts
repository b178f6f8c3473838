import { html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { Announcer } from "./announcer";
import "../call/call-view";
import { counted, t } from "../shared/i18n/en-pages";
import "./console-side";
import { consoleStyles } from "./console-styles";
import type { Conversation } from "../call/conversation";
import type { Details } from "../call/lines";
import { AgentSession, type Stage } from "./agent-session";
import "./call-history";
import { icon } from "../shared/icons";
import type { TeamMember } from "../generated/signaling";
import "./ring-card";
import "../shared/page-header";
import type { SignedIn } from "../generated/rest";
import { checkSession, requireSession } from "../shared/session";
import { signalingUrl } from "../call/signaling";
import { shared } from "../shared/styles";
import { Watch } from "../shared/observable";
import { limited } from "../shared/text";

const MANAGE_SETTINGS = "Manage Settings";

/** Console of an agent: presence, ringing calls, the call, past calls and the side column. */
@customElement("visavis-console")
export class Console extends LitElement {
  static override styles = [shared, consoleStyles];

  /** Secret of a join link: the page is then for that one call. */
  @property() join = "";
  @property({ reflect: true, attribute: "data-state" }) stage: Stage = "idle";
  agentSession: AgentSession | undefined;
  private session: SignedIn | null = null;
  private isServerAway = false;
  private isChoosing = false;
  /** Ids of the calls that were in the queue at the last update. */
  private waitingIds = new Set<string>();
  private disconnections = 0;
  private hasCopied = "";
  private readonly announcer = new Announcer(`${t("console")} · Visavis`);
  private readonly watch = new Watch(this, () => this.agentSession);

  override async connectedCallback(): Promise<void> {
    super.connectedCallback();
    Object.assign(window, { visavisConsole: this });
    if (!this.join) this.session = await requireSession(() => this.showAway());
    if (!this.isConnected) return;
    const who = this.join ? `?join=${encodeURIComponent(this.join)}` : "";
    this.agentSession = new AgentSession(
      signalingUrl(location.origin, `/signaling/agent${who}`),
      `visavis.desk${who}`,
      !!this.join,
    );
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.agentSession?.close();
  }

  get peerConnection(): RTCPeerConnection | undefined {
    return this.agentSession?.conversation?.link?.connection;
  }

  override willUpdate(_: PropertyValues): void {
    if (!this.agentSession) return;
    if (this.disconnections !== this.agentSession.disconnections) void this.askSession();
    this.disconnections = this.agentSession.disconnections;
    this.stage = this.agentSession.stage;
    if (!this.agentSession.conversation) this.isChoosing = false;
    const { hasCall, ringing, queue } = this.agentSession;
    this.announcer.announce(hasCall ? [] : ringing);
    if (hasCall && queue.some(({ callId }) => !this.waitingIds.has(callId))) this.announcer.knock();
    this.waitingIds = new Set(queue.map(({ callId }) => callId));
  }

  override updated(changed: PropertyValues<this>): void {
    if (changed.get("stage") === "idle") this.renderRoot.querySelector<HTMLElement>("#call")?.focus();
  }

  override render() {
    if (!this.agentSession)
      return this.isServerAway ? html`<p class="error" role="alert">${t("serverAway")}</p>` : nothing;
    const { agentSession } = this;
    return html`
      ${this.head(agentSession)}
      <main class=${this.join ? "alone" : ""}>
        <div class="middle">
          <div role="status">${this.status(agentSession)}</div>
          ${agentSession.notice && !this.saysSoBelow(agentSession) ? html`<div class="notice" role="alert"><p>${agentSession.notice}</p><button class="round" aria-label=${t("close")} @click=${() => agentSession.dismissNotice()}>${icon("close", 16)}</button></div>` : nothing}
          ${agentSession.unsent ? this.unsent(agentSession) : nothing}
          ${agentSession.hasCall || agentSession.rings.length ? html`<h1 class="unseen">${t(this.join ? "joinTitle" : "console")}</h1>` : nothing}
          ${agentSession.hasCall ? this.call(agentSession) : this.waiting(agentSession)}
          ${this.join ? nothing : html`<visavis-call-history .agentSession=${agentSession}></visavis-call-history>`}
        </div>
        ${this.join ? nothing : html`<aside aria-label=${t("aroundTheCall")}><visavis-side .agentSession=${agentSession}></visavis-side></aside>`}
      </main>
    `;
  }

  private head(agentSession: AgentSession) {
    if (this.join) return html`<visavis-header alone></visavis-header>`;
    return html`<visavis-header current="console" .session=${this.session}>
      <label class="presence"><input type="checkbox" role="switch" .checked=${agentSession.isAvailable && agentSession.isOnline} ?disabled=${!agentSession.isOnline || !agentSession.mayAccept}
        @change=${(event: Event) => agentSession.setAvailable((event.target as HTMLInputElement).checked)} />${t("available")}</label>
    </visavis-header>`;
  }

  /** The only line that says whether calls ring here. */
  private status(agentSession: AgentSession) {
    switch (agentSession.state) {
      case "over":
        return nothing;
      case "reconnecting":
        return html`<p class="line error">${icon("warning")} ${t("lostSignaling")}</p>`;
      case "mayNot":
        return html`<p class="line error">${icon("warning")} ${t("mayNot")}</p>`;
      case "inCall":
        return this.join
          ? nothing
          : html`<p class="line quiet">${icon("phone")} ${t("youAreInCall")} ${waiting(agentSession.queue.length)}</p>`;
      case "disabled":
        return html`<p class="line warn">${icon("warning")} ${
          this.session?.permissions.includes(MANAGE_SETTINGS)
            ? html`<span>${t("disabledForAdministrators")} <a href="/admin">${t("switchOn")}</a></span>`
            : t("disabled")
        }</p>`;
      case "away":
        return this.join ? nothing : html`<p class="line warn">${icon("pause")} ${t("youAreAway")}</p>`;
      case "available":
        return this.join ? nothing : html`<p class="line quiet">${icon("good")} ${t("online")}</p>`;
    }
  }

  /** Whether the notice is what the page of an ended join link has as its heading. */
  private saysSoBelow({ isOver, hasEndedCall, notice }: AgentSession): boolean {
    return isOver && hasEndedCall && notice === t("ended.hungUp");
  }

  private waiting(agentSession: AgentSession) {
    if (agentSession.rings.length) return html`<visavis-rings .agentSession=${agentSession}></visavis-rings>`;
    if (agentSession.isOver)
      return html`<section class="card empty" role="alert"><h1>${t(agentSession.hasEndedCall ? "joinEnded" : "joinOver")}</h1>
        <p class="quiet">${t(agentSession.hasEndedCall ? "joinEndedHelp" : "joinOverHelp")}</p></section>`;
    return html`<section class="card empty">
      <span class="face">${icon("phone", 28)}</span>
      <h1>${t(this.join ? "waitingForVisitor" : "noCalls")}</h1>
      ${this.join || agentSession.state === "available" ? html`<p class="quiet">${t(this.join ? "waitingForVisitorHelp" : "noCallsHelp")}</p>` : nothing}
      ${Announcer.mayAsk && !this.join ? html`<button @click=${this.askNotifications}>${icon("bell")} ${t("notifyMe")}</button>` : nothing}
    </section>`;
  }

  /** Lines that the agent wrote and the visitor never received, with a button to copy them. */
  private unsent(agentSession: AgentSession) {
    const copy = async () => {
      await navigator.clipboard.writeText(agentSession.unsent);
      this.hasCopied = agentSession.unsent;
      this.requestUpdate();
    };
    return html`<div class="notice" role="alert"><div><p>${t("unsentAtDesk")}</p><blockquote>${agentSession.unsent}</blockquote></div>
      <span><button @click=${copy}>${t(this.hasCopied === agentSession.unsent ? "copied" : "copy")}</button>
      <button class="round" aria-label=${t("close")} @click=${() => agentSession.dismissUnsent()}>${icon("close", 16)}</button></span></div>`;
  }

  private call(agentSession: AgentSession) {
    const { conversation, stage } = agentSession;
    const name = conversation?.otherName || t("aVisitor");
    const isUp = conversation && stage !== "connecting";
    return html`<section class="card call" id="call" tabindex="-1" aria-label="${t(isUp ? "connected" : "connecting")}: ${name}">
      ${conversation ? this.details(conversation.details) : nothing}
      ${
        isUp
          ? html`<visavis-call .conversation=${conversation} heading=${name} ?isReconnecting=${stage === "reconnecting"} ?isOnline=${agentSession.isOnline} @hang-up=${() => agentSession.hangUp()}>
            ${this.recording(agentSession, conversation)} ${this.join ? nothing : this.transfer(agentSession)}
          </visavis-call>`
          : html`<div class="empty"><span class="face turning">${icon("phone", 28)}</span><p role="status">${t(stage === "reconnecting" ? "reconnecting" : "connecting")}</p>
            <button class="danger" @click=${() => agentSession.hangUp()}>${icon("hangUp")} ${t("hangUp")}</button></div>`
      }
    </section>`;
  }

  /** The visitor's e-mail address, and the note of the colleague who transferred the call. */
  private details({ visitorEmail, transferredBy, note }: Details) {
    if (!visitorEmail && !transferredBy) return nothing;
    return html`<div class="details small">
      ${visitorEmail ? html`<p>${visitorEmail}</p>` : nothing}
      ${transferredBy ? html`<p>${t("transferredBy")} <bdi>${transferredBy}</bdi>${note ? html`: <bdi>${note}</bdi>` : nothing}</p>` : nothing}
    </div>`;
  }

  private recording(agentSession: AgentSession, { recording }: Conversation) {
    const state = recording?.state ?? "off";
    const [action, word] = (
      {
        off: ["start", "startRecording"],
        on: ["pause", "pauseRecording"],
        paused: ["resume", "resumeRecording"],
      } as const
    )[state];
    return html`<button slot="controls" class="round" id="record" aria-label=${t(word)} title=${t(word)} @click=${() => agentSession.record(action)}>${icon(state === "on" ? "pause" : "record")}</button>`;
  }

  private transfer(agentSession: AgentSession) {
    const others = agentSession.team.filter(({ agentId }) => agentId !== agentSession.agentId);
    return html`
      <button slot="controls" class="round" id="transfer" aria-label=${t("transfer")} title=${t("transfer")} aria-expanded=${this.isChoosing} @click=${this.toggleTransfer}>${icon("transfer")}</button>
      <div slot="panel" class="team" ?hidden=${!this.isChoosing} @keydown=${this.onTeamKey}>
        <h2 id="transfer-to">${t("transferTo")}</h2>
        <label class="field">${t("transferNote")}<input name="note" @input=${limited(1000)} autocomplete="off" /></label>
        ${agentSession.transferringTo ? html`<p role="status">${t("transferRings").replace("%", agentSession.transferringTo)}</p>` : nothing}
        ${others.length ? html`<ul aria-labelledby="transfer-to">${others.map((member) => this.colleague(agentSession, member))}</ul>` : html`<p class="quiet">${t("noColleagues")}</p>`}
      </div>`;
  }

  private colleague(agentSession: AgentSession, member: TeamMember) {
    const isFree = member.state === "available" && !agentSession.transferringTo;
    return html`<li><span class="dot ${member.state}"></span><span class="who">${member.name} <span class="quiet small">${t(member.state)}</span></span>
      <button ?disabled=${!isFree} aria-label="${t("ring")} ${member.name}" @click=${() => agentSession.transfer(member, this.transferNote)}>${t("ring")}</button></li>`;
  }

  private get transferNote(): string {
    return this.renderRoot.querySelector<HTMLInputElement>('input[name="note"]')?.value ?? "";
  }

  private toggleTransfer(): void {
    this.isChoosing = !this.isChoosing;
    this.requestUpdate();
  }

  private onTeamKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    this.toggleTransfer();
    this.renderRoot.querySelector<HTMLElement>("#transfer")?.focus();
  }

  private async askNotifications(): Promise<void> {
    await Announcer.ask();
    this.requestUpdate();
  }

  private showAway(): void {
    this.isServerAway = true;
    this.requestUpdate();
  }

  /** A lost socket may mean that the session has ended: then go to the sign-in page. */
  private async askSession(): Promise<void> {
    if (this.join) return;
    try {
      await checkSession();
    } catch {
      // The server cannot be reached: the next lost socket asks again.
    }
  }
}

const waiting = (count: number): string => (count ? counted(count, "callerWaits", "callersWait") : "");
