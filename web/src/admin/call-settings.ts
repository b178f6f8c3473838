import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { live } from "lit/directives/live.js";
import type { RecordingPolicyChange, RecordingPolicySettings } from "../generated/rest";
import { errors } from "../shared/i18n/en-errors";
import { t, type Word } from "../shared/i18n/en-pages";
import { sentenceOf } from "../shared/refusal";
import { shared } from "../shared/styles";
import { loading } from "./loading";
import { merge } from "./merge";
import { readPolicy, savePolicy, type Outcome, type SavedPolicy } from "./policy-resource";

const FIELDS = ["ringSeconds", "queueSeconds", "connectSeconds", "resumeSeconds", "ringLimit"] as const;
type Field = (typeof FIELDS)[number];
type Draft = Record<Field, string>;

/** Texts of the fields, in this form and in the audit log. */
export const CALL_WORDS: Record<Field, Word> = {
  ringSeconds: "ringSeconds",
  queueSeconds: "queueSeconds",
  connectSeconds: "connectSeconds",
  resumeSeconds: "resumeSeconds",
  ringLimit: "ringLimit",
};
const HELP: Record<Field, Word> = {
  ringSeconds: "ringSecondsHelp",
  queueSeconds: "queueSecondsHelp",
  connectSeconds: "connectSecondsHelp",
  resumeSeconds: "resumeSecondsHelp",
  ringLimit: "ringLimitHelp",
};

const draftOf = (policy: RecordingPolicySettings): Draft =>
  Object.fromEntries(FIELDS.map((field) => [field, String(policy[field] ?? "")])) as Draft;

/** Return the value to send. Text that is not a number is sent as it is, and the server refuses it. */
const valueOf = (field: Field, text: string): number | string | null => {
  if (field === "ringLimit" && text === "") return null;
  return /^\d+$/.test(text) ? Number(text) : text;
};

/** Form for the time limits of calls and the number of agents that a call rings at first. Fires `saved`. */
@customElement("visavis-call-settings")
export class CallSettings extends LitElement {
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

  @state() private saved: SavedPolicy | undefined;
  @state() private draft: Draft | undefined;
  @state() private wrong: { field: Field; message: string } | undefined;
  @state() private status = "";
  @state() private isFailure = false;
  @state() private isSaving = false;
  @state() private hasFailed = false;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.read();
  }

  override render() {
    return html`<form class="card" novalidate aria-labelledby="calls-title" @submit=${this.submit}>
      <h2 id="calls-title">${t("callSettings")}</h2>
      ${this.draft ? this.fields(this.draft) : loading(this.hasFailed, this.read)}
    </form>`;
  }

  private fields(draft: Draft) {
    return html`
      ${FIELDS.map((field) => this.field(field, draft))}
      <div class="bar">
        <button class="primary" ?disabled=${this.isSaving}>${t("apply")}</button>
        <p aria-live="polite" class=${this.isFailure ? "error" : "quiet"}>${this.status}</p>
      </div>
    `;
  }

  private field(field: Field, draft: Draft) {
    const message = this.wrong?.field === field ? this.wrong.message : undefined;
    return html`<div class="field">
      <label for=${field}>${t(CALL_WORDS[field])}</label>
      <p class="quiet" id="${field}-help">${t(HELP[field])}</p>
      <input id=${field} inputmode="numeric" autocomplete="off" .value=${live(draft[field])}
        aria-invalid=${message ? "true" : "false"} aria-describedby="${field}-help ${field}-error"
        @input=${(event: Event) => this.edit(field, (event.target as HTMLInputElement).value)} />
      <p class="error" id="${field}-error">${message ?? nothing}</p>
    </div>`;
  }

  private edit(field: Field, value: string): void {
    if (this.draft) this.draft = { ...this.draft, [field]: value };
    this.wrong = undefined;
    this.status = "";
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const { saved, draft } = this;
    if (!saved || !draft || this.isSaving) return;
    const before = draftOf(saved.policy);
    const change = Object.fromEntries(
      FIELDS.filter((field) => draft[field].trim() !== before[field]).map((field) => [
        field,
        valueOf(field, draft[field].trim()),
      ]),
    ) as RecordingPolicyChange;
    this.isSaving = true;
    this.wrong = undefined;
    try {
      this.answered(await savePolicy(saved, change));
    } catch {
      this.tell(t("saveFailed"), true);
    } finally {
      this.isSaving = false;
    }
  }

  private answered({ saved, problem, conflicts }: Outcome): void {
    if (problem) return this.refused(sentenceOf(errors, problem), problem.pointer ?? "");
    if (!saved) return;
    if (conflicts && this.saved && this.draft) {
      this.draft = merge(draftOf(this.saved.policy), this.draft, draftOf(saved.policy)).merged;
      this.saved = saved;
      const names = conflicts.map((field) => t(CALL_WORDS[field as Field])).join(", ");
      return this.tell(t("settingsConflict").replace("%", names), true);
    }
    this.accept(saved);
    this.tell(t("callsSaved"), false);
    this.dispatchEvent(new Event("saved"));
  }

  private refused(message: string, pointer: string): void {
    const field = FIELDS.find((name) => pointer === `/${name}`);
    if (!field) return this.tell(message, true);
    this.wrong = { field, message };
    this.tell(t("notSaved"), true);
    this.renderRoot.querySelector<HTMLElement>(`#${field}`)?.focus();
  }

  private tell(status: string, isFailure: boolean): void {
    Object.assign(this, { status, isFailure });
  }

  private accept(saved: SavedPolicy): void {
    this.saved = saved;
    this.draft = draftOf(saved.policy);
  }

  private readonly read = async (): Promise<void> => {
    this.hasFailed = false;
    const saved = await readPolicy().catch(() => undefined);
    if (saved) this.accept(saved);
    else this.hasFailed = true;
  };
}
