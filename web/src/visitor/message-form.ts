import { css, html, LitElement } from "lit";
import { customElement, property } from "lit/decorators.js";
import { t } from "../shared/i18n/en";
import { textOf } from "../shared/format";
import { shared } from "../shared/styles";
import { limited } from "../shared/text";
import type { VisitorSession } from "./visitor-session";

/** Form for a message to the agents, with the visitor's name and e-mail address. */
@customElement("visavis-message")
export class MessageForm extends LitElement {
  static override styles = [
    shared,
    css`
      form { display: grid; gap: 12px; }
      .pair { display: grid; gap: 12px; }
      textarea { min-height: 96px; resize: vertical; }
      .bar { display: flex; gap: 8px; flex-wrap: wrap; }
      .bar button { flex: 1 1 auto; }
    `,
  ];

  @property({ attribute: false }) visitor!: VisitorSession;

  override render() {
    const { name, email } = this.visitor;
    return html`<form @submit=${this.submit}>
      <div class="pair">
        <label class="field">${t("yourName")}<input name="name" @input=${limited(200)} autocomplete="name" .value=${name} /></label>
        <label class="field">${t("yourEmail")}<input name="email" type="email" @input=${limited(200)} autocomplete="email" .value=${email} /></label>
      </div>
      <label class="field">${t("yourMessage")}<textarea name="text" .value=${this.visitor.unsent} @input=${this.write} required></textarea></label>
      <div class="bar">
        <button class="primary">${t("sendMessage")}</button>
        <button type="button" @click=${() => this.visitor.dismiss()}>${t("close")}</button>
      </div>
    </form>`;
  }

  /** Keep the text in the session, so that it stays when the widget shows something else meanwhile. */
  private write(event: Event): void {
    limited(4000)(event);
    this.visitor.unsent = (event.target as HTMLTextAreaElement).value;
  }

  private submit(event: SubmitEvent): void {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const text = form.get("text") as string;
    if (!text.trim()) return;
    this.visitor.identify(textOf(form, "name"), textOf(form, "email"));
    this.visitor.leaveMessage(text);
  }
}
