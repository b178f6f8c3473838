import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property } from "lit/decorators.js";
import { stoppedBecause, t } from "../shared/i18n/en-pages";
import type { AgentSession, RingingCall } from "./agent-session";
import { clock } from "../shared/format";
import { icon } from "../shared/icons";
import { shared } from "../shared/styles";
import { Watch } from "../shared/observable";

/** Cards of the ringing calls, each with buttons to accept it with or without video, or to decline it. */
@customElement("visavis-rings")
export class RingCard extends LitElement {
  static override styles = [
    shared,
    css`
      ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr); }
      li { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; padding: 1.25rem; border-radius: 16px; background: var(--card); border: 2px solid var(--accent); }
      .face { width: 3.25rem; height: 3.25rem; border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent); flex: none; animation: ring 1.8s ease-out infinite; }
      @keyframes ring { from { box-shadow: 0 0 0 0 color-mix(in srgb, var(--accent) 60%, transparent); } to { box-shadow: 0 0 0 0.9rem transparent; } }
      .who { flex: 1 1 12rem; min-width: 0; overflow-wrap: anywhere; }
      .who h2, .who p { margin: 0; }
      .stopped { opacity: 0.6; border-style: dashed; } .stopped .face { animation: none; }
      .bar[hidden] { display: none; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.5rem; }
      @media (max-width: 30rem) { li { padding: 1rem; } .bar, .bar button { flex: 1 1 auto; } }
    `,
  ];

  @property({ attribute: false }) agentSession!: AgentSession;
  private ticking = 0;
  private readonly watch = new Watch(this, () => this.agentSession);

  override connectedCallback(): void {
    super.connectedCallback();
    this.ticking = window.setInterval(() => this.requestUpdate(), 1000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.ticking);
  }

  /** Move the focus to the first call, unless it is in another control. */
  override firstUpdated(_: PropertyValues): void {
    if (document.activeElement === document.body) this.renderRoot.querySelector<HTMLElement>("h2")?.focus();
  }

  override render() {
    return html`<ul aria-live="assertive" aria-label=${t("ringing")}>${this.agentSession.rings.map((ring) => this.ring(ring))}</ul>`;
  }

  private ring(ring: RingingCall) {
    const isVideo = ring.media === "video";
    const accept = (media: "audio" | "video") => () => this.agentSession.accept(ring, media);
    const withVideo = html`<button class=${isVideo ? "primary" : ""} data-accept="video" @click=${accept("video")}>${icon("camera")} ${t(isVideo ? "accept" : "acceptWithVideo")}</button>`;
    const withAudio = html`<button class=${isVideo ? "" : "primary"} data-accept="audio" @click=${accept("audio")}>${icon("phone")} ${t(isVideo ? "acceptWithAudio" : "accept")}</button>`;
    return html`<li class=${ring.stopped === undefined ? "" : "stopped"}>
      <span class="face">${icon(isVideo ? "camera" : "phone", 26)}</span>
      <div class="who">
        <h2 tabindex="-1">${ring.visitorName || t("aVisitor")}</h2>
        <p>${t(isVideo ? "videoCall" : "audioCall")}${ring.visitorEmail ? html` · ${ring.visitorEmail}` : nothing}</p>
        ${ring.transferredBy ? html`<p>${t("transferredBy")} <bdi>${ring.transferredBy}</bdi></p>` : nothing}
        ${ring.note ? html`<p class="note">${t("note")}: <bdi>${ring.note}</bdi></p>` : nothing}
        <p class="quiet small"><span aria-hidden="true">${clock(this.agentSession.clock.age(ring.since))}</span>${ring.isRecorded ? html` · ${t("willBeRecorded")}` : nothing}</p>
      </div>
      ${ring.stopped === undefined ? nothing : html`<p class="bar">${stoppedBecause(ring.stopped)}</p>`}
      <div class="bar" ?hidden=${ring.stopped !== undefined}>${isVideo ? [withVideo, withAudio] : [withAudio, withVideo]}
        <button @click=${() => this.agentSession.decline(ring)}>${t("decline")}</button></div>
    </li>`;
  }
}
