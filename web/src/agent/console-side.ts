import { css, html, LitElement, nothing } from "lit";
import { customElement, property } from "lit/decorators.js";
import { t, type Word } from "../shared/i18n/en-pages";
import type { AgentSession } from "./agent-session";
import { clock } from "../shared/format";
import { icon } from "../shared/icons";
import type { PageVisitor, TeamMember, Waiting } from "../generated/signaling";
import { presenceDot, shared } from "../shared/styles";
import { Watch } from "../shared/observable";

const STATES: Record<TeamMember["state"], Word> = { available: "available", busy: "busy", away: "away" };

/** Side column of the console: queue, visitors on the site's pages, agents on duty. */
@customElement("visavis-side")
export class ConsoleSide extends LitElement {
  static override styles = [
    shared,
    presenceDot,
    css`
      :host { display: grid; gap: 1.25rem; align-content: start; grid-template-columns: minmax(0, 1fr); }
      section { padding: 1rem 1.25rem; }
      h2 { display: flex; justify-content: space-between; align-items: baseline; font-size: 1rem; margin-bottom: 0.5rem; }
      h2 span { font-weight: 500; color: var(--quiet); font-variant-numeric: tabular-nums; }
      ul { list-style: none; margin: 0; padding: 0; }
      li { display: flex; gap: 0.75rem; align-items: center; padding: 0.6rem 0; border-top: 1px solid var(--line); }
      li:last-child { padding-bottom: 0; }
      .who { flex: 1; min-width: 0; }
      .who > * { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      .scroll { max-height: 22rem; overflow-y: auto; }
      p { margin: 0; }
      .time { font-variant-numeric: tabular-nums; }
      button { padding: 0.3rem 0.8rem; min-height: 2.25rem; font-size: 0.9rem; }
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

  override render() {
    const { queue, visitors, visitorCount, team } = this.agentSession;
    return html`
      ${list(
        "queue",
        "waitingCalls",
        queue.length,
        queue.map((call) => this.waiting(call)),
        "noQueue",
      )}
      ${list(
        "visitors",
        "visitorsHere",
        visitorCount,
        visitors.map((visitor) => this.visitor(visitor)),
        "noVisitors",
      )}
      ${list(
        "team",
        "team",
        team.length,
        team.map((member) => this.member(member)),
        "noTeam",
      )}
    `;
  }

  private waiting({ visitorName, media, since }: Waiting) {
    return html`<li>${icon(media === "video" ? "camera" : "phone", 18)}
      <span class="who"><strong>${visitorName || t("aVisitor")}</strong></span>
      <span class="quiet small time">${clock(this.agentSession.clock.age(since))}</span></li>`;
  }

  private visitor(visitor: PageVisitor) {
    const { agentSession } = this;
    const name = visitor.name || t("aVisitor");
    const isInvited = agentSession.invitedId === visitor.visitorId;
    return html`<li>
      <span class="who"><strong>${name}</strong><span class="quiet small"><bdi>${visitor.page}</bdi> · <span class="time">${clock(agentSession.clock.age(visitor.since))}</span></span></span>
      <button ?disabled=${agentSession.hasCall || !agentSession.isEnabled} aria-label="${t("invite")}: ${name}" @click=${() => agentSession.invite(visitor, "video")}>
        ${isInvited ? t("invitedAlready") : t("invite")}
      </button></li>`;
  }

  private member({ agentId, name, state }: TeamMember) {
    return html`<li><span class="dot ${state}"></span>
      <span class="who"><strong>${name}${agentId === this.agentSession.agentId ? html` <span class="quiet">(${t("you")})</span>` : nothing}</strong></span>
      <span class="quiet small">${t(STATES[state])}</span></li>`;
  }
}

const list = (id: string, heading: Word, count: number, items: unknown[], empty: Word) => html`
  <section class="card" aria-labelledby=${id}>
    <h2 id=${id}>${t(heading)} <span>${count}</span></h2>
    ${items.length ? html`<ul class="scroll" tabindex=${items.length > 5 ? 0 : nothing}>${items}</ul>` : html`<p class="quiet small">${t(empty)}</p>`}
  </section>`;
