import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { t } from "../shared/i18n/en-pages";
import { dateTime } from "../shared/format";
import { OpenRecording } from "./api";
import type { LibraryContents, LibraryRecording } from "../generated/rest";
import "./details-panel";
import "./recording-actions";
import "./player";
import type { Player } from "./player";
import "./recordings";
import "../shared/page-header";
import type { Permission, SignedIn } from "../generated/rest";
import { requireSession } from "../shared/session";
import { shared } from "../shared/styles";

/** Library page: the list of recordings, or one recording with its details (`?recording=…&t=…`). */
@customElement("visavis-library")
export class Library extends LitElement {
  static override styles = [
    shared,
    css`
      a { color: var(--accent); }
      main { max-width: var(--page-width); margin: 0 auto; padding: 1.25rem clamp(0.75rem, 3vw, 1.25rem) 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      .one { display: grid; grid-template-columns: minmax(0, 1fr) minmax(16rem, 24rem); gap: 1.25rem; align-items: start; }
      .main { display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      .title { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: baseline; margin-bottom: 0.75rem; }
      h1 { margin: 0; min-width: 0; overflow-wrap: anywhere; }
      .badge { border-color: var(--accent); color: var(--accent); }
      @media (max-width: 60rem) { .one { grid-template-columns: minmax(0, 1fr); } }
    `,
  ];

  /** Whether this archive runs alone, without the other pages. */
  @property({ type: Boolean }) alone = false;
  @query("visavis-player") private player!: Player | null;
  @state() private session: SignedIn | undefined;
  @state() private isServerAway = false;
  @state() private opened: OpenRecording | undefined;
  @state() private recording: LibraryRecording | undefined;
  @state() private contents: LibraryContents | undefined;
  @state() private position = 0;
  @state() private error = "";
  private start = 0;

  override async connectedCallback(): Promise<void> {
    super.connectedCallback();
    addEventListener("popstate", this.onPopState);
    this.session = await requireSession(() => (this.isServerAway = true));
    await this.follow();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("popstate", this.onPopState);
  }

  override render() {
    if (!this.session)
      return this.isServerAway ? html`<p class="error" role="alert">${t("serverAway")}</p>` : nothing;
    return html`
      <visavis-header current="library" .session=${this.session} ?alone=${this.alone}></visavis-header>
      <main>${this.may("View Recordings") ? this.content() : html`<p class="card" role="alert">${t("mayNotView")}</p>`}</main>
    `;
  }

  private content() {
    if (this.error) return html`<p class="card error" role="alert">${this.error}</p>${this.back()}`;
    if (!this.opened)
      return html`<visavis-recordings @open-recording=${(event: CustomEvent<string>) => this.open(event.detail)}></visavis-recordings>`;
    if (!this.recording || !this.contents) return html`<p class="quiet" role="status">${t("loading")}</p>`;
    return this.one(this.opened, this.recording, this.contents);
  }

  private one(opened: OpenRecording, recording: LibraryRecording, contents: LibraryContents) {
    const visitor = recording.visitorName || t("aVisitor");
    const agents = recording.agentNames.join(", ") || t("agent");
    const names = { visitor, agent: agents, "": visitor, system: "" };
    return html`
      ${this.back()}
      <div class="one">
        <div class="main">
          <section class="card" aria-labelledby="title">
            <div class="title">
              <h1 id="title">${visitor} · ${agents}</h1>
              <span class="quiet">${dateTime(recording.startedAt)}, ${t(recording.media === "video" ? "videoCall" : "audioCall")}</span>
              ${recording.isHeld ? html`<span class="badge">${t("onHold")}</span>` : nothing}
              ${recording.missing.length ? html`<span class="badge">${t("isIncomplete")}</span>` : nothing}
            </div>
            ${recording.missing.map((sentence) => html`<p class="warn">${sentence}</p>`)}
            <visavis-player .opened=${opened} .names=${names} .participants=${contents.participants} .chapters=${contents.chapters} .duration=${recording.duration} .start=${this.start}
              @position=${(event: CustomEvent<number>) => (this.position = event.detail)}></visavis-player>
          </section>
          <visavis-recording-actions .opened=${opened} .recording=${recording} .mayManage=${this.may("Manage Settings")}
            @changed=${(event: CustomEvent<LibraryRecording>) => (this.recording = event.detail)} @deleted=${() => this.open("")}></visavis-recording-actions>
        </div>
        <visavis-details-panel .contents=${contents} .names=${names} .position=${this.position}
          @seek=${(event: CustomEvent<number>) => void this.player?.seek(event.detail)}></visavis-details-panel>
      </div>
    `;
  }

  private back() {
    const close = (event: MouseEvent) => {
      event.preventDefault();
      this.open("");
    };
    return html`<a href=${location.pathname} @click=${close}>← ${t("allRecordings")}</a>`;
  }

  private may(permission: Permission): boolean {
    return this.session?.permissions.includes(permission) ?? false;
  }

  private open(id: string): void {
    history.pushState(null, "", id ? `?recording=${encodeURIComponent(id)}` : location.pathname);
    void this.follow();
  }

  private readonly onPopState = () => void this.follow();

  /** Show the list or the recording that the URL names. */
  private async follow(): Promise<void> {
    const asked = new URLSearchParams(location.search);
    const id = asked.get("recording");
    this.start = Math.max(0, Number(asked.get("t")) || 0);
    this.error = "";
    this.position = 0;
    this.recording = this.contents = undefined;
    const opened = (this.opened = id ? new OpenRecording(id) : undefined);
    if (!opened || !this.may("View Recordings")) return;
    try {
      const { recording, contents } = await opened.details();
      if (this.opened === opened) Object.assign(this, { recording, contents });
    } catch (problem) {
      if (this.opened === opened) this.error = (problem as Error).message || t("loadFailed");
    }
  }
}
