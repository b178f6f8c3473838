import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import "./call-view";
import { endedBecause, t } from "./catalogue";
import { Peer } from "./peer";
import type { FromAgent, Ring, ToAgent } from "./protocol";
import { Ringer } from "./ringer";
import { demandSession, signOut } from "./session";
import { Signaling, signalingUrl } from "./signaling";
import { shared } from "./styles";

type Stage = "idle" | "connecting" | "connected";

/** The agent's page: what rings, and the call. */
@customElement("visavis-console")
export class Console extends LitElement {
  static override styles = [
    shared,
    css`
      header { display: flex; flex-wrap: wrap; gap: 0.5rem 1.5rem; align-items: center; padding: 0.75rem 1.25rem; border-bottom: 1px solid var(--line); background: var(--card); }
      header strong { margin-right: auto; }
      a { color: var(--accent); }
      main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1.25rem; display: grid; gap: 1.25rem; }
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 0.75rem; }
      li { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
      .notes { margin: 0.75rem 0 0; }
      li span.who { margin-right: auto; font-weight: 600; }
    `,
  ];

  @property({ reflect: true, attribute: "data-state" }) stage: Stage = "idle";
  @state() private agentName = "";
  @state() private mayAccept = true;
  @state() private isOpen = false;
  @state() private isEnabled = false;
  @state() private rings: Ring[] = [];
  @state() private current: Ring | undefined;
  @state() private notice = "";
  peer: Peer | undefined;
  private since = 0;
  private readonly ringer = new Ringer();
  private signaling: Signaling<ToAgent, FromAgent> | undefined;

  override async connectedCallback(): Promise<void> {
    super.connectedCallback();
    Object.assign(window, { visavisConsole: this });
    addEventListener("beforeunload", (event) => this.current && event.preventDefault());
    await demandSession();
    const url = signalingUrl(location.origin, "/signaling/agent");
    this.signaling = new Signaling(url, (m) => void this.hear(m), (open) => this.onOpen(open));
  }

  get peerConnection(): RTCPeerConnection | undefined {
    return this.peer?.connection;
  }

  override render() {
    return html`
      <header>
        <strong>Visavis · ${t("console")}</strong>
        <span class="quiet">${this.agentName}</span>
        <a href="/library">${t("library")}</a>
        <button @click=${signOut}>${t("signOut")}</button>
      </header>
      <main>
        <p role="status" class=${this.isOpen ? "quiet" : "error"}>${this.status()}</p>
        ${this.notice ? html`<p role="alert">${this.notice}</p>` : nothing}
        ${this.current ? this.call(this.current) : this.waiting()}
      </main>
    `;
  }

  private status(): string {
    if (!this.isOpen) return t("lostSignaling");
    if (!this.mayAccept) return t("mayNot");
    return t(this.isEnabled ? "online" : "disabled");
  }

  private call(ring: Ring) {
    const badge = ring.isRecorded ? html`<span class="badge">${t("recorded")}</span>` : nothing;
    return html`<section class="card" aria-label=${t("connected")}>
      ${this.stage === "connected"
        ? html`<visavis-call .peer=${this.peer!} .since=${this.since} heading=${nameOf(ring)} @hang-up=${this.hangUp}></visavis-call>`
        : html`<p role="status">${t("connecting")}</p>
            <button class="danger" @click=${this.hangUp}>${t("hangUp")}</button>`}
      <p class="notes">${badge}</p>
    </section>`;
  }

  private waiting() {
    return html`<section class="card" aria-live="assertive">
      <h1>${t("waitingCalls")}</h1>
      ${this.rings.length === 0 ? html`<p class="quiet">${t("noCalls")}</p>` : nothing}
      <ul>
        ${this.rings.map(
          (ring) => html`<li>
            <span class="who">${nameOf(ring)} · ${t(ring.media === "video" ? "videoCall" : "audioCall")}</span>
            <button class="primary" data-accept @click=${() => this.accept(ring)}>${t("accept")}</button>
            <button @click=${() => this.decline(ring)}>${t("decline")}</button>
          </li>`,
        )}
      </ul>
    </section>`;
  }

  private async accept(ring: Ring): Promise<void> {
    this.notice = "";
    this.current = ring;
    this.stage = "connecting";
    try {
      this.peer = await Peer.open(ring.media);
      this.signaling?.send({ type: "accept", callId: ring.callId });
    } catch (error) {
      this.finish((error as Error).message);
    }
  }

  private decline(ring: Ring): void {
    this.signaling?.send({ type: "decline", callId: ring.callId });
  }

  private hangUp(): void {
    if (this.current) this.signaling?.send({ type: "hangUp", callId: this.current.callId });
    this.finish("");
  }

  private async hear(message: ToAgent): Promise<void> {
    switch (message.type) {
      case "welcome":
        this.agentName = message.agentName;
        this.mayAccept = message.mayAcceptCalls;
        break;
      case "availability":
        this.isEnabled = message.isEnabled;
        break;
      case "ring":
        this.setRings([...this.rings.filter((ring) => ring.callId !== message.callId), message]);
        break;
      case "ringStopped":
        this.setRings(this.rings.filter((ring) => ring.callId !== message.callId));
        break;
      case "offer":
        await this.answer(message.callId, message.sdp);
        break;
      case "callState":
        if (message.state === "connected" && this.peer) {
          this.since = Date.now();
          this.stage = "connected";
        }
        break;
      case "ended":
        if (message.callId === this.current?.callId) this.finish(endedBecause(message.reason));
        break;
      case "refused":
        if (!message.callId || message.callId === this.current?.callId) this.finish(message.message);
    }
  }

  private async answer(callId: string, offer: string): Promise<void> {
    if (!this.peer || callId !== this.current?.callId) return;
    this.signaling?.send({ type: "answer", callId, link: 1, sdp: await this.peer.answer(offer) });
  }

  private onOpen(isOpen: boolean): void {
    this.isOpen = isOpen;
    if (!isOpen) {
      this.setRings([]);
      if (this.current) this.finish(t("ended.failed"));
    }
  }

  private setRings(rings: Ring[]): void {
    this.rings = rings;
    this.ringer.ring(rings.length > 0 && !this.current);
    document.title = rings[0] ? `☎ ${t("callFrom")} ${nameOf(rings[0])}` : `${t("console")} · Visavis`;
  }

  private finish(notice: string): void {
    this.peer?.close();
    this.peer = undefined;
    this.current = undefined;
    this.stage = "idle";
    this.notice = notice;
    this.setRings(this.rings);
  }
}

const nameOf = (ring: Ring): string => ring.visitorName || t("aVisitor");
