import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import { t, type Word } from "../shared/i18n/en-pages";
import type { Problem, RecordingPolicyChange, RecordingPolicySettings } from "../generated/rest";
import { shared } from "../shared/styles";
import { loading } from "./loading";
import { merge } from "./merge";
import { errors } from "../shared/i18n/en-errors";
import { sentenceOf } from "../shared/refusal";
import { readPolicy, savePolicy, type Outcome, type SavedPolicy } from "./policy-resource";

type Choice = "consent" | "unrecordable";
type Failure = Pick<Problem, "message" | "pointer">;

/** Texts of the policy's fields and values, in this form and in the audit log. */
export const POLICY_WORDS: Record<string, Word> = {
  consent: "consent",
  unrecordable: "unrecordable",
  retentionDays: "retention",
  secret: "secret",
};
export const POLICY_VALUES: Record<string, Word> = {
  notice: "consentNotice",
  agreement: "consentAgreement",
  refuse: "unrecordableRefuse",
  continue: "unrecordableContinue",
};

const CHOICES: Record<Choice, string[]> = {
  consent: ["notice", "agreement"],
  unrecordable: ["refuse", "continue"],
};

const daysOf = ({ retentionDays }: RecordingPolicySettings): string => String(retentionDays ?? "");

/** The policy as the form's fields show it, without the secret, which is never shown. */
const draftOf = (policy: RecordingPolicySettings, days = daysOf(policy)) => ({
  consent: policy.consent,
  unrecordable: policy.unrecordable,
  days,
});

/** Form of the site's recording policy: consent, calls that cannot be recorded, retention, the server's secret. Fires `saved`. */
@customElement("visavis-policy")
export class RecordingPolicy extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: block; }
      form { display: grid; gap: 1rem; }
      .field p { margin: 0; font-weight: 400; }
      .bar { display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; }
      .bar p { margin: 0; }
    `,
  ];

  @state() private policy: RecordingPolicySettings | undefined;
  private saved: SavedPolicy | undefined;
  @state() private days = "";
  @state() private secret = "";
  @state() private status = "";
  @state() private problem: Failure | undefined;
  @state() private isSaving = false;
  @state() private hasFailed = false;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.read();
  }

  override render() {
    return html`<form class="card" novalidate aria-labelledby="policy-title" @submit=${this.submit}>
      <h2 id="policy-title">${t("recordingPolicy")}</h2>
      ${this.policy ? this.fields(this.policy) : loading(this.hasFailed, this.read)}
    </form>`;
  }

  private fields(policy: RecordingPolicySettings) {
    return html`
      ${this.choice("consent", policy, "consentHelp")}
      ${this.choice("unrecordable", policy, "unrecordableHelp")}
      ${this.text(
        "retentionDays",
        "retention",
        "retentionHelp",
        html`<input id="retentionDays" inputmode="numeric" autocomplete="off" .value=${live(this.days)}
        aria-invalid=${this.isWrong("retentionDays")} aria-describedby="retentionDays-help retentionDays-error"
        @input=${(event: Event) => (this.days = this.typed(event))} />`,
      )}
      ${this.text(
        "secret",
        "secret",
        policy.hasSecret ? "secretSet" : "secretNone",
        html`<input id="secret" type="password" autocomplete="new-password" .value=${live(this.secret)}
        aria-invalid=${this.isWrong("secret")} aria-describedby="secret-help secret-error"
        @input=${(event: Event) => (this.secret = this.typed(event))} />`,
      )}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${t("apply")}</button>
        ${policy.hasSecret ? html`<button type="button" ?disabled=${this.isSaving} @click=${() => this.put({ secret: null })}>${t("forgetSecret")}</button>` : nothing}
        <p aria-live="polite" class=${this.problem ? "error" : "quiet"}>${this.status}</p>
      </div>
    `;
  }

  private choice(name: Choice, policy: RecordingPolicySettings, help: Word) {
    return html`<div class="field">
      <label for=${name}>${t(POLICY_WORDS[name]!)}</label>
      <p class="quiet" id="${name}-help">${t(help)}</p>
      <select id=${name} aria-describedby="${name}-help" @change=${(event: Event) => (this.policy = { ...policy, [name]: this.typed(event) })}>
        ${CHOICES[name].map((value) => html`<option value=${value} .selected=${policy[name] === value}>${t(POLICY_VALUES[value]!)}</option>`)}
      </select>
    </div>`;
  }

  private text(name: string, word: Word, help: Word, input: unknown) {
    return html`<div class="field">
      <label for=${name}>${t(word)}</label>
      <p class="quiet" id="${name}-help">${t(help)}</p>
      ${input}
      <p class="error" id="${name}-error">${this.isWrong(name) === "true" ? this.problem?.message : nothing}</p>
    </div>`;
  }

  private isWrong(name: string): "true" | "false" {
    return this.problem?.pointer === `/${name}` ? "true" : "false";
  }

  private typed(event: Event): string {
    this.status = "";
    this.problem = undefined;
    return (event.target as HTMLInputElement | HTMLSelectElement).value;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (!this.policy || !this.saved) return;
    const { consent, unrecordable } = this.policy;
    const days = this.days.trim();
    const retentionDays = days === "" ? null : /^\d+$/.test(days) ? Number(days) : days;
    const before = this.saved.policy;
    const edited = Object.entries({ consent, unrecordable, retentionDays }).filter(
      ([field, value]) => value !== before[field as keyof RecordingPolicySettings],
    );
    await this.put({ ...Object.fromEntries(edited), ...(this.secret ? { secret: this.secret } : {}) });
  }

  private async put(change: RecordingPolicyChange): Promise<void> {
    if (!this.saved) return;
    this.isSaving = true;
    this.problem = undefined;
    try {
      this.answered(await savePolicy(this.saved, change));
    } catch {
      this.fail({ message: t("saveFailed") });
    } finally {
      this.isSaving = false;
    }
  }

  private answered({ saved, problem, conflicts }: Outcome): void {
    if (problem) return this.fail({ pointer: problem.pointer, message: sentenceOf(errors, problem) });
    if (!saved) return;
    if (conflicts) return this.conflict(saved, conflicts);
    this.accept(saved);
    this.status = t("policySaved");
    this.dispatchEvent(new Event("saved"));
  }

  /** Show what somebody else has saved, with this page's own values where both have changed a field. */
  private conflict(theirs: SavedPolicy, conflicts: string[]): void {
    const { saved, policy, days, secret } = this;
    if (!saved || !policy) return;
    const mine = draftOf(policy, days);
    const { merged } = merge(draftOf(saved.policy), mine, draftOf(theirs.policy));
    this.accept(theirs);
    const { consent, unrecordable } = merged;
    this.policy = { ...theirs.policy, consent, unrecordable };
    this.days = merged.days;
    this.secret = secret;
    const names = conflicts.map((field) => t(POLICY_WORDS[field]!)).join(", ");
    this.fail({ message: t("settingsConflict").replace("%", names) });
  }

  private fail(problem: Failure): void {
    this.problem = problem;
    this.status = problem.pointer ? t("notSaved") : problem.message;
    if (problem.pointer) this.renderRoot.querySelector<HTMLElement>(`#${problem.pointer.slice(1)}`)?.focus();
  }

  private readonly read = async (): Promise<void> => {
    this.hasFailed = false;
    const saved = await readPolicy().catch(() => undefined);
    if (saved) this.accept(saved);
    else this.hasFailed = true;
  };

  private accept(saved: SavedPolicy): void {
    this.saved = saved;
    this.policy = saved.policy;
    this.days = daysOf(this.policy);
    this.secret = "";
  }
}
