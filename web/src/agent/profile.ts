import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../shared/i18n/en-pages";
import { dateTime } from "../shared/format";
import "../shared/page-header";
import type { SessionEntry, SessionList, SignedIn } from "../generated/rest";
import { requireSession } from "../shared/session";
import { shared } from "../shared/styles";
import { errors } from "../shared/i18n/en-errors";
import { sentenceOf, type Refusal } from "../shared/refusal";

/** Account page: the agent's password and sign-in sessions. */
@customElement("visavis-profile")
export class Profile extends LitElement {
  static override styles = [
    shared,
    css`
      main { max-width: var(--form-width); margin: 0 auto; padding: 1.5rem 1.25rem 4rem; display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); }
      form { display: grid; gap: 1rem; justify-items: start; }
      form .field { width: min(100%, 24rem); }
      form p { margin: 0; }
      ul { list-style: none; margin: 0 0 1rem; padding: 0; }
      li { display: flex; flex-wrap: wrap; gap: 0.5rem 1rem; align-items: center; justify-content: space-between; padding: 0.75rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
      li p { margin: 0.15rem 0 0; }
      .here { border-color: var(--accent); color: var(--accent); }
    `,
  ];

  @state() private session: SignedIn | undefined;
  @state() private isServerAway = false;
  @state() private signIns: SessionEntry[] = [];
  @state() private error = "";
  @state() private status = "";
  @state() private failure = "";
  @state() private isBusy = false;

  override async connectedCallback(): Promise<void> {
    super.connectedCallback();
    this.session = await requireSession(() => (this.isServerAway = true));
    await this.load();
  }

  override render() {
    if (!this.session)
      return this.isServerAway ? html`<p class="error" role="alert">${t("serverAway")}</p>` : nothing;
    return html`
      <visavis-header .session=${this.session}></visavis-header>
      <main>
        <h1>${t("yourAccount")}</h1>
        <p class="quiet">${this.session.agentName} · ${this.session.email}</p>
        ${this.passwordForm(this.session)} ${this.list()}
      </main>
    `;
  }

  private passwordForm({ email }: SignedIn) {
    return html`<section class="card" aria-labelledby="password-title">
      <h2 id="password-title">${t("changePassword")}</h2>
      <form @submit=${this.changePassword}>
        <input class="unseen" type="text" name="username" autocomplete="username" .value=${email} tabindex="-1" aria-hidden="true" readonly />
        <label class="field">${t("currentPassword")}<input name="currentPassword" type="password" autocomplete="current-password" required /></label>
        <label class="field">${t("newPassword")}<input name="newPassword" type="password" autocomplete="new-password" minlength="10" maxlength="1024" required aria-describedby="password-help" /></label>
        <p class="quiet" id="password-help">${t("newPasswordHelp")}</p>
        <p class="error" role="alert">${this.error || nothing}</p>
        <button class="primary" ?disabled=${this.isBusy}>${t("changePassword")}</button>
        <p class="quiet" role="status">${this.status}</p>
      </form>
    </section>`;
  }

  private list() {
    return html`<section class="card" aria-labelledby="sessions-title">
      <h2 id="sessions-title">${t("sessions")}</h2>
      ${this.failure ? html`<p class="error" role="alert">${this.failure}</p>` : nothing}
      <ul>${this.signIns.map((one) => this.item(one))}</ul>
      <button @click=${() => this.endAll()}>${t("signOutEverywhere")}</button>
    </section>`;
  }

  private item(one: SessionEntry) {
    const device = deviceName(one.device);
    return html`<li>
      <div>
        <span title=${one.device}>${device}</span>
        ${one.isCurrent ? html`<span class="badge here">${t("thisBrowser")}</span>` : nothing}
        <p class="quiet">${one.address || t("thisMachine")} · ${t("lastUse")} ${dateTime(one.lastUseTime)} · ${t("signedInOn")} ${dateTime(one.createTime)}</p>
      </div>
      ${one.isCurrent ? nothing : html`<button aria-label="${t("signOut")}: ${device}" @click=${() => this.end(one)}>${t("signOut")}</button>`}
    </li>`;
  }

  private async load(): Promise<void> {
    const response = await fetch("/session/all").catch(() => undefined);
    this.failure = response?.ok ? "" : t("loadFailed");
    if (response?.ok) this.signIns = ((await response.json()) as SessionList).sessions;
  }

  private async end(one: SessionEntry): Promise<void> {
    const response = await fetch(`/session/${one.id}`, { method: "DELETE" }).catch(() => undefined);
    await this.load();
    if (!response?.ok && response?.status !== 404) this.failure = t("signOutFailed");
  }

  private async endAll(): Promise<void> {
    const response = await fetch("/session/all", { method: "DELETE" }).catch(() => undefined);
    if (response?.ok) location.assign("/signin");
    else this.failure = t("signOutFailed");
  }

  private async changePassword(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    const body = { currentPassword: data.get("currentPassword"), newPassword: data.get("newPassword") };
    this.isBusy = true;
    this.error = this.status = "";
    try {
      const headers = { "Content-Type": "application/json" };
      const response = await fetch("/session/password", {
        method: "POST",
        headers,
        body: JSON.stringify(body),
      });
      if (!response.ok) {
        this.error = sentenceOf(errors, (await response.json()) as Refusal);
        return;
      }
      form.reset();
      this.status = t("passwordChanged");
      await this.load();
    } catch {
      this.error = t("saveFailed");
    } finally {
      this.isBusy = false;
    }
  }
}

const BROWSERS: [RegExp, string][] = [
  [/Edg\//, "Edge"],
  [/OPR\//, "Opera"],
  [/Firefox\//, "Firefox"],
  [/Chrom(e|ium)\//, "Chrome"],
  [/Safari\//, "Safari"],
];
const SYSTEMS: [RegExp, string][] = [
  [/Android/, "Android"],
  [/iPhone|iPad/, "iOS"],
  [/Windows/, "Windows"],
  [/Mac OS X/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux/, "Linux"],
];

/** Return the names of a browser and its operating system, from its User-Agent. */
export const deviceName = (device: string): string => {
  const named = [BROWSERS, SYSTEMS].map((known) => known.find(([pattern]) => pattern.test(device))?.[1]);
  return named.filter(Boolean).join(" · ") || device || t("unknownDevice");
};
