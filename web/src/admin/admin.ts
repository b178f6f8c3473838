import { css, html, LitElement, nothing } from "lit";
import { customElement, query, state } from "lit/decorators.js";
import { t, type Word } from "../shared/i18n/en-pages";
import "../shared/page-header";
import type { SignedIn } from "../generated/rest";
import { checkSession, requireSession } from "../shared/session";
import "./audit-log";
import "./call-settings";
import type { AuditLog } from "./audit-log";
import "./delivery";
import { merge } from "./merge";
import type { Configuration, Permission, Problem } from "../generated/rest";
import "./policy";
import "./server-test";
import { forcedSwitch, shared } from "../shared/styles";
import { errors } from "../shared/i18n/en-errors";
import { sentenceOf } from "../shared/refusal";

const RESOURCE = "/v4/livechat/audioVideoChatConfig";
/** Milliseconds before another attempt to follow the configuration. */
const LISTEN_AGAIN_AFTER = 5_000;
const FIELDS = ["isEnabled", "isAutomaticallyRecordingAudioVideoChatsEnabled", "recordingServerUrl"] as const;

type Field = (typeof FIELDS)[number];
type Tagged = { config: Configuration; etag: string };

const LABELS: Record<Field, Word> = {
  isEnabled: "switch",
  isAutomaticallyRecordingAudioVideoChatsEnabled: "automaticRecording",
  recordingServerUrl: "recordingServer",
};

const VALUES: Record<string, Word> = { true: "on", false: "off" };

const isSame = (one: Configuration, other: Configuration): boolean =>
  FIELDS.every((field) => one[field] === other[field]);

/** Settings page. Changes of two administrators at the same time are merged field by field. */
@customElement("visavis-admin")
export class Admin extends LitElement {
  static override styles = [
    shared,
    css`
      a { color: var(--accent); }
      main { max-width: var(--form-width); margin: 0 auto; padding: 1.5rem 1.25rem 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      .row { display: flex; gap: 1rem; align-items: flex-start; justify-content: space-between; padding: 1rem 0; border-top: 1px solid var(--line); }
      .row label, .field label { font-weight: 600; }
      .row p, .field p { margin: 0.15rem 0 0; }
      input[role="switch"] { appearance: none; flex: none; width: 3rem; height: 1.7rem; margin: 0.15rem 0 0; border-radius: 999px; background: var(--quiet); position: relative; cursor: pointer; transition: background 0.15s; }
      input[role="switch"]::after { content: ""; position: absolute; inset: 0.2rem auto 0.2rem 0.2rem; width: 1.3rem; border-radius: 50%; background: var(--card); transition: translate 0.15s; }
      input[role="switch"]:checked { background: var(--accent); }
      input[role="switch"]:checked::after { translate: 1.3rem; }
      .field { padding: 1rem 0; border-top: 1px solid var(--line); font-weight: 400; }
      .field input { display: block; width: 100%; font: inherit; padding: 0.6rem; margin-top: 0.4rem; border-radius: 8px; border: 1px solid var(--quiet); background: transparent; color: inherit; }
      .field input[aria-invalid="true"] { border-color: var(--danger); }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; padding-top: 1rem; border-top: 1px solid var(--line); }
      .status { margin: 0; min-height: 1.45em; }
      .conflict { border-color: var(--danger); }
      .scroll { overflow-x: auto; }
      table { border-collapse: collapse; width: 100%; margin-bottom: 1rem; }
      th, td { text-align: left; padding: 0.5rem 0.75rem 0.5rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; vertical-align: top; }
      @media (max-width: 30rem) {
        thead { display: none; }
        tr, th[scope="row"], td { display: block; border: 0; padding: 0.15rem 0; }
        td::before { content: attr(data-whose) ": "; color: var(--quiet); }
        tr { padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
      }
      ${forcedSwitch}
      @media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
    `,
  ];

  @state() private session: SignedIn | undefined;
  @state() private saved: Tagged | undefined;
  @state() private draft: Configuration | undefined;
  @state() private theirs: Configuration | undefined;
  @state() private conflicts: Field[] = [];
  @state() private errors: Partial<Record<Field, string>> = {};
  @state() private failure = "";
  @state() private status = "";
  @state() private isSaving = false;
  /** Whether the server requires the secret again, because the URL is that of another recording server. */
  @state() private isSecretNeeded = false;
  private secret = "";
  @query("visavis-audit-log") private auditLog!: AuditLog | null;
  private events: EventSource | undefined;
  private listenTimer = 0;
  @state() private isServerAway = false;

  override async connectedCallback(): Promise<void> {
    super.connectedCallback();
    this.session = await requireSession(() => (this.isServerAway = true));
    this.isServerAway = false;
    if (this.may("Manage Settings")) this.listen();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.listenTimer);
    this.events?.close();
  }

  override render() {
    if (!this.session) return this.away();
    return html`
      <visavis-header current="settings" .session=${this.session}></visavis-header>
      <main>${this.may("Manage Settings") ? this.content() : html`<p class="card" role="alert">${t("mayNotManage")}</p>`}</main>
    `;
  }

  private away() {
    return this.isServerAway ? html`<p class="error" id="away" role="alert">${t("serverAway")}</p>` : nothing;
  }

  private content() {
    return html`
      ${this.away()}
      ${this.failure ? html`<p class="error" role="alert">${this.failure}</p>` : nothing}
      ${this.proxies()}
      ${this.theirs && this.draft ? this.conflict(this.theirs, this.draft) : nothing}
      ${this.draft ? this.form(this.draft) : html`<p class="quiet">${t("loading")}</p>`}
      <visavis-delivery></visavis-delivery>
      <visavis-call-settings @saved=${() => this.auditLog?.refresh()}></visavis-call-settings>
      <visavis-policy @saved=${() => this.auditLog?.refresh()}></visavis-policy>
      ${this.may("View Audit Log") ? html`<visavis-audit-log ?exportable=${this.session?.isAdministrator ?? false} ?linked=${this.may("View Recordings")}></visavis-audit-log>` : nothing}
    `;
  }

  private proxies() {
    const addresses = this.session?.unlistedProxies ?? [];
    if (!addresses.length) return nothing;
    return html`<section class="card" aria-labelledby="unlisted-proxy">
      <h2 id="unlisted-proxy">${t("unlistedProxy")}</h2>
      <p class="quiet">${t("unlistedProxyHelp")}</p>
      <ul>${addresses.map((address) => html`<li><code>${address}</code></li>`)}</ul>
    </section>`;
  }

  private form(draft: Configuration) {
    const toggle = (
      field: "isEnabled" | "isAutomaticallyRecordingAudioVideoChatsEnabled",
      help: Word,
    ) => html`<div class="row">
      <div><label for=${field}>${t(LABELS[field])}</label><p class="quiet" id="${field}-help">${t(help)}</p></div>
      <input type="checkbox" role="switch" id=${field} aria-describedby="${field}-help" .checked=${draft[field]}
        @change=${(event: Event) => this.edit(field, (event.target as HTMLInputElement).checked)} />
    </div>`;
    const wrong = this.errors.recordingServerUrl;
    return html`<form class="card" novalidate @submit=${this.submit}>
      <h1>${t("callsAndRecording")}</h1>
      ${toggle("isEnabled", "switchHelp")}
      ${toggle("isAutomaticallyRecordingAudioVideoChatsEnabled", "automaticRecordingHelp")}
      <div class="field">
        <label for="recordingServerUrl">${t("recordingServer")}</label>
        <p class="quiet" id="url-help">${t("recordingServerHelp")}</p>
        <input id="recordingServerUrl" type="url" inputmode="url" autocomplete="off" spellcheck="false" .value=${draft.recordingServerUrl}
          aria-invalid=${wrong ? "true" : "false"} aria-describedby="url-help url-error"
          @input=${(event: Event) => this.edit("recordingServerUrl", (event.target as HTMLInputElement).value)} />
        <p class="error" id="url-error">${wrong ?? nothing}</p>
        ${this.isSecretNeeded ? this.secretField() : nothing}
        <visavis-server-test .url=${draft.recordingServerUrl}></visavis-server-test>
      </div>
      <div class="bar">
        <button class="primary" ?disabled=${!this.isEdited || this.isSaving}>${t("save")}</button>
        <button type="button" ?disabled=${!this.isEdited || this.isSaving} @click=${() => this.discard()}>${t("discard")}</button>
        <p class="status quiet" role="status">${this.status}</p>
      </div>
    </form>`;
  }

  private secretField() {
    return html`<div role="group" aria-label=${t("newServerSecret")}>
      <p class="warn" role="alert">${t("newServerSecretHelp")}</p>
      <label for="newServerSecret">${t("newServerSecret")}</label>
      <input id="newServerSecret" type="password" autocomplete="new-password" .value=${this.secret}
        @input=${(event: Event) => (this.secret = (event.target as HTMLInputElement).value)} />
    </div>`;
  }

  private conflict(theirs: Configuration, mine: Configuration) {
    const rows = this.conflicts.map(
      (field) =>
        html`<tr><th scope="row">${t(LABELS[field])}</th><td data-whose=${t("yours")}>${shown(mine[field])}</td><td data-whose=${t("theirs")}>${shown(theirs[field])}</td></tr>`,
    );
    return html`<section class="card conflict" role="alert" aria-labelledby="conflict-title">
      <h2 id="conflict-title">${t("conflict")}</h2>
      <p>${t("conflictHelp")}</p>
      <table>
        <thead><tr><td></td><th scope="col">${t("yours")}</th><th scope="col">${t("theirs")}</th></tr></thead>
        <tbody>${rows}</tbody>
      </table>
      <div class="bar">
        <button class="primary" @click=${this.keepMine}>${t("keepMine")}</button>
        <button @click=${this.takeTheirs}>${t("takeTheirs")}</button>
      </div>
    </section>`;
  }

  private may(permission: Permission): boolean {
    return this.session?.permissions.includes(permission) ?? false;
  }

  private get isEdited(): boolean {
    return !!this.saved && !!this.draft && !isSame(this.saved.config, this.draft);
  }

  private edit(field: Field, value: boolean | string): void {
    if (!this.draft) return;
    this.draft = { ...this.draft, [field]: value };
    this.errors = {};
    this.status = "";
  }

  private discard(): void {
    if (this.saved) this.accept(this.saved);
  }

  /**
   * Follow the configuration. A browser reconnects by itself only after a lost connection, and not after an
   * answer other than 200, such as a proxy's 502 while the server restarts.
   */
  private listen(): void {
    if (!this.isConnected) return;
    const events = (this.events = new EventSource(`${RESOURCE}/events`));
    events.addEventListener("config", (event) =>
      this.hear(JSON.parse((event as MessageEvent<string>).data) as Tagged),
    );
    events.addEventListener("error", () => {
      this.isServerAway = true;
      if (events.readyState !== EventSource.CLOSED) return;
      void checkSession().catch(() => undefined);
      this.listenTimer = window.setTimeout(() => this.listen(), LISTEN_AGAIN_AFTER);
    });
  }

  /** Merge in the configuration that another page or program has saved, or show the first one. */
  private hear(news: Tagged): void {
    this.isServerAway = false;
    if (news.etag === this.saved?.etag || this.isSaving) return;
    const isFirst = !this.saved;
    this.mergeWith(news);
    if (isFirst) this.status = "";
    else void this.auditLog?.refresh();
  }

  /** Merge this page's edits with what somebody else has saved; ask only about fields that both have changed. */
  private mergeWith(news: Tagged): void {
    if (!this.saved || !this.draft) return this.accept(news);
    const { merged, conflicts } = merge(this.saved.config, this.draft, news.config);
    this.accept(news);
    this.draft = merged;
    this.conflicts = conflicts;
    this.theirs = conflicts.length ? news.config : undefined;
    this.status = conflicts.length ? "" : t("changedElsewhere");
  }

  private accept(tagged: Tagged): void {
    this.saved = tagged;
    this.draft = { ...tagged.config };
    this.theirs = undefined;
    this.conflicts = [];
    this.errors = {};
    this.failure = "";
    this.isSecretNeeded = false;
    this.secret = "";
  }

  private takeTheirs(): void {
    const { theirs, draft } = this;
    if (!theirs || !draft) return;
    this.draft = { ...draft, ...Object.fromEntries(this.conflicts.map((field) => [field, theirs[field]])) };
    this.theirs = undefined;
    this.conflicts = [];
    this.status = t("tookTheirs");
  }

  private async keepMine(): Promise<void> {
    this.theirs = undefined;
    this.conflicts = [];
    await this.save();
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.isEdited && !this.theirs) await this.save();
  }

  private async save(): Promise<void> {
    if (!this.saved || !this.draft) return;
    this.isSaving = true;
    this.status = t("saving");
    this.failure = "";
    try {
      const headers = { "Content-Type": "application/json", "If-Match": this.saved.etag };
      await this.saveAnswered(
        await fetch(RESOURCE, { method: "PUT", headers, body: JSON.stringify(this.body(this.draft)) }),
      );
    } catch {
      this.fail(t("saveFailed"));
    } finally {
      this.isSaving = false;
    }
  }

  private body(draft: Configuration): object {
    return this.isSecretNeeded ? { ...draft, recordingServerSecret: this.secret } : draft;
  }

  private async saveAnswered(response: Response): Promise<void> {
    if (response.ok) {
      this.accept(await tagged(response));
      this.status = t("saved");
      return this.auditLog?.refresh();
    }
    if (response.status === 412) {
      this.mergeWith(await tagged(await fetch(RESOURCE)));
      if (!this.theirs) await this.save();
      return;
    }
    if (response.status === 401) await checkSession();
    const problem = (await response.json()) as Problem;
    if (problem.pointer === "/recordingServerSecret" && problem.error === "ParameterMissing") {
      this.isSecretNeeded = true;
      this.status = t("notSaved");
      return;
    }
    const field = FIELDS.find((name) => problem.pointer === `/${name}`);
    if (!field) return this.fail(sentenceOf(errors, problem));
    this.errors = { [field]: explained(problem, this.draft?.recordingServerUrl ?? "") };
    this.status = t("notSaved");
    this.renderRoot.querySelector<HTMLElement>(`#${field}`)?.focus();
  }

  private fail(message: string): void {
    this.failure = message;
    this.status = "";
  }
}

const tagged = async (response: Response): Promise<Tagged> => ({
  config: (await response.json()) as Configuration,
  etag: response.headers.get("ETag") ?? "",
});

const explained = (problem: Problem, url: string): string => {
  if (!url) return t("urlNeeded");
  if (problem.error === "ParameterStringLengthExceed") return t("urlTooLong");
  return problem.error === "ParameterFormatIncorrect" ? t("urlWrong") : t("urlWithPassword");
};

const shown = (value: boolean | string): string => written(String(value));

const written = (value: string): string => {
  const word = VALUES[value];
  return word ? t(word) : value || t("none");
};
