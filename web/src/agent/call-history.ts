import { css, html, LitElement, nothing, type PropertyValues } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t, type Word } from "../shared/i18n/en-pages";
import type { AgentSession } from "./agent-session";
import { clock, dateTime } from "../shared/format";
import { icon } from "../shared/icons";
import type { AudioVideoChat, AudioVideoChatPage, Problem } from "../generated/rest";
import { shared } from "../shared/styles";
import { Watch } from "../shared/observable";
import { errors } from "../shared/i18n/en-errors";
import { sentenceOf } from "../shared/refusal";

const CALLS = "/v4/livechat/audioVideoChats";
const PAGE_SIZE = 15;
/** Milliseconds after which a request fails: without a limit a lost network takes minutes to be noticed. */
const ANSWER_WITHIN = 20_000;
/** Milliseconds over which the consoles of a site spread their requests after a change. */
const SPREAD = 1_000;

type Filter = "all" | "missed";

/** List of past calls, with the messages that visitors left. */
@customElement("visavis-call-history")
export class CallHistory extends LitElement {
  static override styles = [
    shared,
    css`
      .head { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; justify-content: space-between; margin-bottom: 0.5rem; }
      h2 { margin: 0; }
      .filters { display: flex; gap: 0.35rem; }
      .filters button { padding: 0.3rem 0.9rem; min-height: 2.25rem; font-size: 0.9rem; }
      .filters [aria-pressed="true"] { background: var(--ink); border-color: var(--ink); color: var(--card); }
      ul { list-style: none; margin: 0; padding: 0; }
      ul + button { margin-top: 0.75rem; }
      li { display: grid; grid-template-columns: auto minmax(0, 1fr) auto; gap: 0.25rem 0.75rem; align-items: center; padding: 0.75rem 0; border-top: 1px solid var(--line); }
      .who { min-width: 0; overflow-wrap: anywhere; }
      .when { text-align: end; }
      blockquote { grid-column: 2 / -1; margin: 0; padding: 0.5rem 0.75rem; border-inline-start: 3px solid var(--accent); background: var(--soft); border-radius: 0 8px 8px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
      p { margin: 0; }
      a { color: var(--accent); }
      @media (max-width: 30rem) { .when { grid-column: 2; text-align: start; } }
    `,
  ];

  @property({ attribute: false }) agentSession!: AgentSession;
  @state() private calls: AudioVideoChat[] | undefined;
  @state() private filter: Filter = "all";
  @state() private hasOlder = false;
  @state() private error = "";
  private revision: string | undefined;
  private waiting = 0;
  private readonly watch = new Watch(this, () => this.agentSession);

  override willUpdate(_: PropertyValues): void {
    const { pastCallsRevision } = this.agentSession;
    if (pastCallsRevision === this.revision) return;
    const isFirst = this.revision === undefined;
    this.revision = pastCallsRevision;
    clearTimeout(this.waiting);
    this.waiting = window.setTimeout(() => void this.read(1), isFirst ? 0 : Math.random() * SPREAD);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.waiting);
  }

  override render() {
    return html`<section class="card" aria-labelledby="history">
      <div class="head">
        <h2 id="history">${t("pastCalls")}</h2>
        <div class="filters" role="group" aria-label=${t("show")}>${this.button("all", "allCalls")}${this.button("missed", "missedCalls")}</div>
      </div>
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      ${this.calls?.length === 0 ? html`<p class="quiet small">${t(this.filter === "all" ? "noPastCalls" : "noMissedCalls")}</p>` : nothing}
      <ul>${this.calls?.map((call) => this.call(call))}</ul>
      ${this.hasOlder ? html`<button @click=${() => this.read(Math.floor((this.calls?.length ?? 0) / PAGE_SIZE) + 1)}>${t("older")}</button>` : nothing}
    </section>`;
  }

  private button(filter: Filter, word: Word) {
    const choose = () => {
      this.filter = filter;
      this.calls = undefined;
      void this.read(1);
    };
    return html`<button aria-pressed=${this.filter === filter} @click=${choose}>${t(word)}</button>`;
  }

  private call(call: AudioVideoChat) {
    const { visitorName, visitorEmail, message } = call;
    return html`<li>
      <span class=${call.connectTime === null ? "quiet" : ""}>${icon(call.media === "video" ? "camera" : "phone", 18)}</span>
      <div class="who"><strong>${visitorName || t("aVisitor")}</strong>
        ${visitorEmail ? html` <a href=${mailTo(visitorEmail)}>${visitorEmail}</a>` : nothing}
        <p class="quiet small">${told(call)}</p></div>
      <div class="when quiet small"><time datetime=${call.createTime}>${dateTime(call.createTime)}</time></div>
      ${message ? html`<blockquote>${message}</blockquote>` : nothing}
    </li>`;
  }

  /** Load a page of the list: the first after a change, a later one to show older calls. */
  private async read(page: number): Promise<void> {
    const { filter } = this;
    const missed = filter === "missed" ? "&isAnswered=false" : "";
    try {
      const query = `pageIndex=${page}&pageSize=${PAGE_SIZE}&state=ended${missed}`;
      const response = await fetch(`${CALLS}?${query}`, { signal: AbortSignal.timeout(ANSWER_WITHIN) });
      const body = (await response.json()) as AudioVideoChatPage & Problem;
      if (filter !== this.filter) return; // another filter was chosen meanwhile
      this.error = response.ok ? "" : sentenceOf(errors, body);
      if (!response.ok) return;
      const isLast = page > 1 || (this.calls?.length ?? 0) <= PAGE_SIZE;
      this.calls = merged(this.calls ?? [], body.audioVideoChats);
      if (isLast) this.hasOlder = body.nextPage !== "";
    } catch {
      this.error = t("loadFailed");
    }
  }
}

/** Merge the loaded calls into those that are shown, newest first. */
const merged = (shown: AudioVideoChat[], read: AudioVideoChat[]): AudioVideoChat[] => {
  const byId = new Map([...shown, ...read].map((call) => [call.id, call]));
  return [...byId.values()].sort((a, b) => (a.createTime < b.createTime ? 1 : -1));
};

const OUTCOMES: Record<string, Word> = {
  missed: "outcomeMissed",
  declined: "outcomeDeclined",
  cancelled: "outcomeCancelled",
  abandoned: "outcomeAbandoned",
  failed: "outcomeFailed",
  disabled: "outcomeDisabled",
  recordingUnavailable: "outcomeUnrecordable",
  shutDown: "outcomeShutDown",
};

const recording = ({ recordingId, recordingState, missingMedia }: AudioVideoChat): string => {
  if (recordingState === "deleted") return t("recordingDeleted");
  if (recordingId === null) return "";
  return t(missingMedia.length ? "recordedIncompletely" : "recorded");
};

const outcomeOf = ({ reason, connectTime }: AudioVideoChat): string => {
  if (reason === "hungUp") return connectTime === null ? t("outcomeUnconnected") : "";
  return t(OUTCOMES[reason ?? ""] ?? "outcomeFailed");
};

const told = (call: AudioVideoChat): string => {
  const { state, duration, agentName } = call;
  const outcome = state === "ended" ? outcomeOf(call) : t("goesOn");
  const facts = [outcome, duration === null ? "" : clock(duration), agentName, recording(call)];
  return facts.filter(Boolean).join(" · ");
};

/** Return a `mailto:` link. The address is encoded, so that nothing in it adds a header field (RFC 6068). */
const mailTo = (email: string): string => {
  const at = email.lastIndexOf("@");
  const parts = [email.slice(0, at), email.slice(at + 1)].map(encodeURIComponent);
  return at < 0 ? `mailto:${encodeURIComponent(email)}` : `mailto:${parts.join("@")}`;
};
