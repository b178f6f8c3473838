import { css, html, LitElement, nothing } from "lit";
import { customElement, state } from "lit/decorators.js";
import { t } from "./catalogue-pages";
import { shared } from "./styles";

@customElement("visavis-signin")
export class SignIn extends LitElement {
  static override styles = [
    shared,
    css`
      main { max-width: 22rem; margin: 12vh auto; padding: 0 1rem; }
      label { display: block; font-weight: 600; margin-bottom: 1rem; }
      input { display: block; width: 100%; font: inherit; padding: 0.6rem; margin-top: 0.25rem; border-radius: 8px; border: 1px solid var(--quiet); background: transparent; color: inherit; }
      button { width: 100%; }
    `,
  ];

  @state() private error = "";
  @state() private isBusy = false;

  override render() {
    return html`<main>
      <form class="card" @submit=${this.submit}>
        <h1>${t("signIn")}</h1>
        <label>${t("email")}<input name="email" type="text" inputmode="email" autocomplete="username" required autofocus /></label>
        <label>${t("password")}<input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="error" role="alert">${this.error || nothing}</p>
        <button class="primary" ?disabled=${this.isBusy}>${t("signIn")}</button>
      </form>
    </main>`;
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    const form = Object.fromEntries(new FormData(event.target as HTMLFormElement));
    this.isBusy = true;
    const headers = { "Content-Type": "application/json" };
    const response = await fetch("/session", { method: "POST", headers, body: JSON.stringify(form) });
    this.isBusy = false;
    if (response.ok) location.assign(nextPage());
    else this.error = ((await response.json()) as { message: string }).message;
  }
}

/** Only a path of our own: never a way to somebody else's page. */
const nextPage = (): string => {
  const next = new URLSearchParams(location.search).get("next") ?? "/console";
  const url = new URL(next, location.origin);
  // the whole URL: the path of "/.//host" begins with two slashes, which alone name another host
  return url.origin === location.origin ? url.href : "/console";
};
