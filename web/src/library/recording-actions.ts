import { css, html, LitElement, nothing } from "lit";
import { customElement, property, query, state } from "lit/decorators.js";
import { t } from "../shared/i18n/en-pages";
import { clock, dateTime, fileSize } from "../shared/format";
import { shared } from "../shared/styles";
import type { OpenRecording } from "./api";
import type { LibraryComposition, LibraryRecording } from "../generated/rest";

const POLL = 700; // milliseconds
const POLL_AFTER_FAILURE = 5000; // milliseconds

/** Actions on a recording: download, legal hold, deletion. Fires `changed` and `deleted`. */
@customElement("visavis-recording-actions")
export class RecordingActions extends LitElement {
  static override styles = [
    shared,
    css`
      section { display: grid; gap: 0.9rem; }
      h2, p { margin: 0; }
      .row { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; }
      .row p { flex: 1 1 12rem; }
      a { color: var(--accent); font-weight: 600; }
      progress { width: 100%; height: 0.6rem; accent-color: var(--accent); }
      .danger-text { background: none; border-color: var(--danger); color: var(--danger); }
      dialog { border: 1px solid var(--line); border-radius: 16px; background: var(--card); color: var(--ink); max-width: min(26rem, calc(100vw - 2rem)); padding: 1.25rem; overflow-wrap: anywhere; }
      dialog p { margin-top: 0.75rem; }
      dialog::backdrop { background: rgb(0 0 0 / 0.5); }
      dialog .row { justify-content: flex-end; margin-top: 1rem; }
    `,
  ];

  @property({ attribute: false }) opened: OpenRecording | undefined;
  @property({ attribute: false }) recording: LibraryRecording | undefined;
  @property({ type: Boolean }) mayManage = false;
  @query("dialog") private dialog!: HTMLDialogElement;
  @state() private film: LibraryComposition = { state: "none", progress: 0 };
  @state() private error = "";
  private timer: ReturnType<typeof setTimeout> | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.attempt(async () => this.follow(await this.opened?.composition()));
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  override render() {
    const one = this.recording;
    if (!one) return nothing;
    return html`<section class="card" aria-labelledby="title">
      <h2 id="title">${t("takeAlong")}</h2>
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      <div class="row"><p class="quiet">${t("originalHelp")}</p><a href=${this.opened?.original ?? ""} download>${t("download")} (${fileSize(one.size)})</a></div>
      ${this.composition()}
      ${this.mayManage ? this.keeping(one) : one.isHeld ? html`<p class="quiet">${t("heldHelp")}</p>` : nothing}
    </section>`;
  }

  private composition() {
    const { state: stage, progress } = this.film;
    if (stage === "done")
      return html`<div class="row"><p class="quiet">${t("composedHelp")}</p><a id="composed" href=${this.opened?.composed ?? ""} download>${t("downloadComposed")}</a></div>`;
    if (stage === "none" || stage === "failed")
      return html`<div class="row">
        <p class="quiet">${t(stage === "failed" ? "composeFailed" : "composeHelp")}</p><button id="compose" @click=${this.compose}>${t("compose")}</button>
      </div>`;
    return html`<div class="row">
        <p class="quiet" role="status">${stage === "waiting" ? t("composeWaiting") : `${t("composing")} ${Math.round(100 * progress)} %`}</p>
        <button @click=${this.cancel}>${t("cancel")}</button>
      </div>
      <progress max="1" .value=${progress} aria-label=${t("composing")}></progress>`;
  }

  private keeping(one: LibraryRecording) {
    return html`
      <div class="row"><p class="quiet">${t(one.isHeld ? "heldHelp" : "holdHelp")}</p><button id="hold" @click=${this.hold}>${t(one.isHeld ? "release" : "hold")}</button></div>
      ${one.isHeld ? nothing : html`<div class="row"><p class="quiet">${t("deleteHelp")}</p><button class="danger-text" id="delete" @click=${() => this.dialog.showModal()}>${t("delete")}</button></div>`}
      <dialog aria-labelledby="sure" aria-describedby="sure-what">
        <h2 id="sure">${t("deleteSure")}</h2>
        <p id="sure-what"><strong>${one.visitorName || t("aVisitor")} · ${one.agentNames.join(", ") || t("agent")}</strong><br />${dateTime(one.startedAt)}, ${clock(one.duration)}</p>
        <p class="quiet">${t("deleteSureHelp")}</p>
        <div class="row">
          <button @click=${() => this.dialog.close()}>${t("keep")}</button>
          <button class="danger" id="delete-now" @click=${this.erase}>${t("delete")}</button>
        </div>
      </dialog>
    `;
  }

  private readonly compose = () => this.attempt(async () => this.follow(await this.opened?.compose()));

  private readonly cancel = () =>
    this.attempt(async () => {
      clearTimeout(this.timer);
      this.film = (await this.opened?.cancel()) ?? this.film;
    });

  private readonly hold = () =>
    this.attempt(async () => {
      const recording = await this.opened?.hold(!this.recording?.isHeld);
      this.dispatchEvent(new CustomEvent("changed", { detail: recording }));
    });

  private readonly erase = () =>
    this.attempt(async () => {
      this.dialog.close();
      await this.opened?.remove();
      this.dispatchEvent(new CustomEvent("deleted"));
    });

  /** Show the state of the MP4, and poll it while it is being created. */
  private follow(film: LibraryComposition | undefined): void {
    this.film = film ?? this.film;
    this.poll(POLL);
  }

  private poll(pause: number): void {
    clearTimeout(this.timer);
    if (this.isConnected && ["waiting", "running"].includes(this.film.state))
      this.timer = setTimeout(() => void this.askProgress(), pause);
  }

  private async askProgress(): Promise<void> {
    await this.attempt(async () => this.follow(await this.opened?.composition()));
    if (this.error) this.poll(POLL_AFTER_FAILURE);
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.error = "";
    } catch (problem) {
      this.error = (problem as Error).message || t("loadFailed");
    }
  }
}
