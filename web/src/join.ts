import { html, LitElement } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "./catalogue-pages";
import { shared } from "./styles";
import { joinStyles } from "./join-styles";
import "./widget";
import type { Widget } from "./widget";

/** The visitor's page of a call that was made over the API. */
@customElement("visavis-join")
export class Join extends LitElement {
  static override styles = [shared, joinStyles];

  @state() private isValid = true;
  private readonly token = location.pathname.split("/").pop() ?? "";

  override connectedCallback(): void {
    super.connectedCallback();
    void this.ask();
  }

  override render() {
    if (!this.isValid)
      return html`<main><section class="card"><h1>${t("joinOver")}</h1><p class="quiet" role="alert">${t("joinOverHelp")}</p></section></main>`;
    return html`<main><h1>${t("joinTitle")}</h1><p class="quiet">${t("joinHelp")}</p>
      <visavis-widget join=${this.token}></visavis-widget></main>`;
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

  /** The same address again: the page itself cannot see how it was answered. */
  private async ask(): Promise<void> {
    const response = await fetch(location.href, { method: "HEAD" });
    this.isValid = response.status !== 404;
  }
}
