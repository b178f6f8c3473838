import { html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../shared/i18n/en-pages";
import "../shared/page-header";
import { shared } from "../shared/styles";
import { joinStyles } from "./join-styles";
import "./widget";
import type { Widget } from "./widget";

/** The visitor's page of a join link. */
@customElement("visavis-join")
export class Join extends LitElement {
  static override styles = [shared, joinStyles];

  @state() private isValid = true;
  @state() private stage: "before" | "inCall" | "ended" = "before";
  /** Whether the call is over and the widget has nothing to add to the page's heading. */
  @state() private isDone = false;
  private readonly token = location.pathname.split("/").pop() ?? "";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.ask();
  }

  override render() {
    if (!this.isValid)
      return html`<visavis-header alone></visavis-header><main><section class="card"><h1>${t("joinOver")}</h1><p class="quiet" role="alert">${t("joinOverHelp")}</p></section></main>`;
    return html`<visavis-header alone></visavis-header><main>
        <h1>${t(this.stage === "ended" ? "joinEnded" : "joinTitle")}</h1>
        ${this.stage === "inCall" ? nothing : html`<p class="quiet">${t(this.stage === "ended" ? "joinEndedHelp" : "joinHelp")}</p>`}
        <div ?hidden=${this.isDone}>
          <visavis-widget join=${this.token} @connected=${() => (this.stage = "inCall")} @ended=${this.end}></visavis-widget>
        </div>
      </main>`;
  }

  private end({ detail }: CustomEvent<{ reason: string }>): void {
    const widget = this.renderRoot.querySelector<Widget>("visavis-widget");
    this.stage = "ended";
    this.isDone = detail.reason === "hungUp" && !widget?.visitor?.unsent;
  }

  override firstUpdated(): void {
    const widget = this.renderRoot.querySelector<Widget>("visavis-widget");
    Object.assign(window, {
      visavis: {
        get peerConnection() {
          return widget?.peerConnection;
        },
      },
    });
  }

  /** Request the page again: a script cannot see the status with which the page itself was answered. */
  private async ask(): Promise<void> {
    const response = await fetch(location.href, { method: "HEAD" }).catch(() => undefined);
    this.isValid = response?.status !== 404;
  }
}
