import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "../shared/i18n/en-pages";
import { mark } from "../shared/mark";
import { shared } from "../shared/styles";
import { errors } from "../shared/i18n/en-errors";
import { sentenceOf, type Refusal } from "../shared/refusal";

/** Sign-in page. */
@customElement("visavis-signin")
export class SignIn extends LitElement {
  static override styles = [
    shared,
    css`
      main { max-width: 24rem; margin: 0 auto; padding: max(2rem, 12vh) 1rem 2rem; }
      .brand { display: flex; gap: 0.75rem; align-items: center; justify-content: center; font-weight: 650; font-size: 1.25rem; margin-bottom: 1.5rem; color: var(--ink); text-decoration: none; }
      form { display: grid; gap: 1rem; padding: 1.75rem; }
      h1, .error { margin: 0; }
      .error:empty { display: none; }
    `,
  ];

  @state() private error = "";
  @state() private isBusy = false;

  override render() {
    return html`<main>
      <a class="brand" href="/">${mark(40)} Visavis</a>
      <form class="card" @submit=${this.submit}>
        <h1>${t("signIn")}</h1>
        <label class="field">${t("email")}<input name="email" type="text" inputmode="email" autocomplete="username" required autofocus /></label>
        <label class="field">${t("password")}<input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="error" role="alert">${this.error || nothing}</p>
        <button class="primary" ?disabled=${this.isBusy}>${t("signIn")}</button>
      </form>
    </main>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(event.target as HTMLFormElement));
    this.isBusy = true;
    this.error = "";
    try {
      await this.send(form);
    } catch {
      this.error = t("signInFailed"); // the network failed, or the answer is not from Visavis
    } finally {
      this.isBusy = false;
    }
  }

  private async send(form: object): Promise<void> {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch("/session", { method: "POST", headers, body: JSON.stringify(form) });
    if (response.ok) location.assign(nextPage());
    else this.error = sentenceOf(errors, (await response.json()) as Refusal);
  }
}

/** Return the page to open after the sign-in. It is always one of ours, whatever the query says. */
export const nextPage = (): string => {
  const next = new URLSearchParams(location.search).get("next") ?? "/console";
  const url = new URL(next, location.origin);
  // The whole URL: the path of "/.//host" begins with two slashes and would by itself lead to another host.
  return url.origin === location.origin ? url.href : "/console";
};
