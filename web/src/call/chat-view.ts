import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import { t } from "../shared/i18n/en";
import type { Conversation } from "./conversation";
import type { Line, PendingLine } from "./lines";
import { timeOfDay } from "../shared/format";
import { icon } from "../shared/icons";
import { shared } from "../shared/styles";
import { limited } from "../shared/text";
import { Watch } from "../shared/observable";

/** Chat of a call: the lines, and the field for the next one. */
@customElement("visavis-chat")
export class ChatView extends LitElement {
  static override styles = [
    shared,
    css`
      .log { margin-bottom: 12px; display: grid; gap: 8px; align-content: start; min-height: 80px; max-height: 224px; overflow-y: auto; }
      .log p { margin: 0; max-width: 85%; padding: 6.4px 11.2px; border-radius: 12px; background: var(--soft); overflow-wrap: anywhere; white-space: pre-wrap; justify-self: start; }
      .log .own { justify-self: end; background: var(--accent); color: var(--on-accent); }
      p small { display: block; font-size: 12px; }
      form { display: flex; gap: 8px; }
      .field { flex: 1; }
    `,
  ];

  @property({ attribute: false }) conversation!: Conversation;
  private readonly watch = new Watch(this, () => this.conversation);

  override firstUpdated(): void {
    this.renderRoot.querySelector("input")?.focus();
  }

  override updated(): void {
    const list = this.renderRoot.querySelector(".log")!;
    list.scrollTop = list.scrollHeight;
  }

  override render() {
    const { lines, pending } = this.conversation;
    return html`
      <div class="log" role="log" aria-label=${t("text")} tabindex="0">${lines.length || pending.length ? [...lines.map((line) => this.line(line)), ...pending.map((line) => this.unsent(line))] : html`<p class="quiet small">${t("noText")}</p>`}</div>
      <form @submit=${this.submit}>
        <label class="field"><span class="unseen">${t("write")}</span><input name="text" .value=${this.conversation.draft} @input=${this.write} autocomplete="off" placeholder=${t("write")} /></label>
        <button class="round primary" aria-label=${t("sendText")} title=${t("sendText")}>${icon("send")}</button>
      </form>
    `;
  }

  private line({ by, text, at }: Line) {
    const isOwn = by === this.conversation.side;
    const who = isOwn ? t("you") : this.conversation.otherName || t(by === "agent" ? "agent" : "visitor");
    return html`<p class=${isOwn ? "own" : ""}><bdi>${text}</bdi><small><bdi>${who}</bdi> · ${timeOfDay(at)}</small></p>`;
  }

  private unsent({ text, isRefused }: PendingLine) {
    return html`<p class="own"><bdi>${text}</bdi><small>${t(isRefused ? "notSent" : "sendingText")}</small></p>`;
  }

  private write(event: Event): void {
    limited(4000)(event);
    this.conversation.draft = (event.target as HTMLInputElement).value;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const input = this.renderRoot.querySelector("input")!;
    if (!input.value.trim()) return;
    const { value } = input;
    input.value = this.conversation.draft = "";
    this.conversation.say(value);
  }
}
