import { html } from "lit";
import { t } from "../shared/i18n/en-pages";

/** Template in the place of a form that is being loaded, or could not be: then with a button to try again. */
export const loading = (hasFailed: boolean, tryAgain: () => unknown) =>
  hasFailed
    ? html`<p class="error" role="alert">${t("loadFailed")}</p>
        <div><button type="button" @click=${tryAgain}>${t("tryAgain")}</button></div>`
    : html`<p class="quiet">${t("loading")}</p>`;
