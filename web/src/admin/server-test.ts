import { css, html, LitElement, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";
import { t } from "../shared/i18n/en-pages";
import { icon } from "../shared/icons";
import type { RecordingServerVerdict } from "../generated/rest";
import { shared } from "../shared/styles";
import { errors } from "../shared/i18n/en-errors";
import { sentenceOf, type Refusal } from "../shared/refusal";

const RESOURCE = "/v4/livechat/audioVideoChatConfig:testRecordingServer";

type Verdict = Pick<RecordingServerVerdict, "ok" | "message">;

/** Button that tests whether the server at a URL takes recordings; the URL need not be saved yet. */
@customElement("visavis-server-test")
export class ServerTest extends LitElement {
  static override styles = [
    shared,
    css`
      :host { display: block; margin-top: 0.6rem; }
      button { white-space: normal; }
      p { margin: 0.4rem 0 0; overflow-wrap: anywhere; }
    `,
  ];

  @property() url = "";
  @state() private verdict: Verdict | undefined;
  @state() private isTrying = false;

  override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("url")) this.verdict = undefined;
  }

  override render() {
    return html`
      <button type="button" ?disabled=${this.isTrying || !this.url} @click=${this.tryOut}>${t("testRecordingServer")}</button>
      <div aria-live="polite">${this.outcome()}</div>
    `;
  }

  private outcome() {
    if (this.isTrying) return html`<p class="quiet">${t("trying")}</p>`;
    if (!this.verdict) return nothing;
    const { ok, message } = this.verdict;
    return html`<p class="line ${ok ? "good" : "error"}" id="verdict">${icon(ok ? "good" : "warning", 18)} ${message}</p>`;
  }

  private async tryOut(): Promise<void> {
    const { url } = this;
    this.isTrying = true;
    const verdict = await asked(url);
    this.isTrying = false;
    if (url === this.url) this.verdict = verdict;
  }
}

const asked = async (recordingServerUrl: string): Promise<Verdict> => {
  try {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(RESOURCE, {
      method: "POST",
      headers,
      body: JSON.stringify({ recordingServerUrl }),
    });
    if (!response.ok) return { ok: false, message: sentenceOf(errors, (await response.json()) as Refusal) };
    return (await response.json()) as Verdict;
  } catch {
    return { ok: false, message: t("loadFailed") };
  }
};
