import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { counted, t, type Word } from "../shared/i18n/en-pages";
import { dateTime, fileSize } from "../shared/format";
import type { Recording, RecordingPage } from "../generated/rest";
import { shared } from "../shared/styles";

const SHOWN = 5;
const RESOURCE = `/v4/livechat/recordings?state=undelivered&pageSize=${SHOWN}`;
/** Milliseconds between two requests while recordings are waiting for delivery, and while none is. */
const POLL_WHILE_PENDING = 5_000;
const POLL_WHILE_IDLE = 20_000;

const STATES: Record<string, Word> = {
  waiting: "recordingWaits",
  muxing: "recordingIsMade",
  delivering: "recordingIsSent",
  failed: "recordingFailed",
};

/** Delivery status of the recordings: how many wait or have failed, and the last success and error. */
@customElement("visavis-delivery")
export class Delivery extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: block; }
      dl { display: grid; grid-template-columns: minmax(8rem, max-content) 1fr; gap: 0.4rem 1rem; margin: 0; }
      dt { font-weight: 600; }
      dd { margin: 0; overflow-wrap: anywhere; }
      ol { list-style: none; margin: 1rem 0 0; padding: 0; }
      li { padding: 0.6rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      @media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.6rem; } }
    `,
  ];

  @state() private backlog: RecordingPage | undefined;
  @state() private hasFailed = false;
  private timer = 0;
  private readonly onVisibility = () => void this.follow();

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.onVisibility);
    void this.follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener("visibilitychange", this.onVisibility);
    clearTimeout(this.timer);
  }

  override render() {
    return html`<section class="card" aria-labelledby="delivery-title">
      <h2 id="delivery-title">${t("delivery")}</h2>
      ${this.hasFailed ? html`<p class="error">${t("loadFailed")}</p>` : nothing}
      ${this.backlog ? this.facts(this.backlog) : html`<p class="quiet">${t("loading")}</p>`}
    </section>`;
  }

  private facts(backlog: RecordingPage) {
    const { pending, failed, incomplete, missing, oldestPending, lastSuccess, lastError, lastErrorTime } =
      backlog;
    const since = oldestPending ? ` (${t("oldestSince")} ${dateTime(oldestPending)})` : "";
    return html`
      <dl>
        <dt>${t("backlog")}</dt><dd id="backlog">${pending ? `${counted(pending, "oneRecording", "manyRecordings")}${since}` : t("nothingWaits")}</dd>
        ${failed ? html`<dt>${t("failedRecordings")}</dt><dd class="error">${counted(failed, "failedOne", "failedMany")}</dd>` : nothing}
        ${incomplete ? html`<dt>${t("incompleteRecordings")}</dt><dd class="warn">${counted(incomplete, "incompleteOne", "incompleteMany")}</dd>` : nothing}
        ${missing ? html`<dt>${t("missingRecordings")}</dt><dd class="warn">${counted(missing, "missingOne", "missingMany")}</dd>` : nothing}
        <dt>${t("lastSuccess")}</dt><dd id="last-success">${lastSuccess ? dateTime(lastSuccess) : t("neverYet")}</dd>
        <dt>${t("lastError")}</dt><dd id="last-error" class=${lastError ? "error" : ""}>${lastError ? `${when(lastErrorTime)}${lastError}` : t("none")}</dd>
      </dl>
      ${backlog.recordings.length ? html`<ol aria-label=${t("underWay")}>${backlog.recordings.map(item)}</ol>` : nothing}
    `;
  }

  /** Load the status again and again while the page is visible, and at once when it becomes visible. */
  private async follow(): Promise<void> {
    clearTimeout(this.timer);
    if (document.hidden) return;
    await this.load();
    clearTimeout(this.timer);
    if (!this.isConnected) return;
    this.timer = window.setTimeout(
      () => void this.follow(),
      this.backlog?.pending ? POLL_WHILE_PENDING : POLL_WHILE_IDLE,
    );
  }

  private async load(): Promise<void> {
    try {
      const response = await fetch(RESOURCE, { headers: { "Visavis-Background": "1" } });
      this.hasFailed = !response.ok;
      if (response.ok) this.backlog = (await response.json()) as RecordingPage;
    } catch {
      this.hasFailed = true;
    }
  }
}

const when = (moment: string | null): string => (moment ? `${dateTime(moment)}: ` : "");

const item = (one: Recording) => {
  const sent = one.size ? ` · ${fileSize(one.uploaded)} ${t("of")} ${fileSize(one.size)}` : "";
  const next = one.nextTryAt ? ` · ${t("nextTry")} ${dateTime(one.nextTryAt)}` : "";
  const awaited = one.nodes.filter((node) => node.isSilent);
  const machines = awaited.map((node) => node.machine);
  const help = awaited.every((node) => node.isStopped) ? "waitingForStoppedNode" : "waitingForNodeHelp";
  const state = machines.length
    ? `${t("waitingForNode")} ${machines.join(", ")}`
    : t(STATES[one.state] ?? "none");
  return html`<li>${dateTime(one.startedAt)} · ${state}${sent}${next}
    ${machines.length ? html`<p class="warn small">${t(help)}</p>` : nothing}
    ${one.lastError ? html`<p class="error small">${one.lastError}</p>` : nothing}</li>`;
};
